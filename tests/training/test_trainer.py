"""The loop: selection, early stopping, the guard, commands at the very next batch."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from rednd_core.data.schema import Interactions, Split
from rednd_core.errors import ConfigError, DataError, TrainingError
from rednd_core.evaluation.evaluate import evaluate
from rednd_core.runs import Command
from rednd_core.training import control
from rednd_core.training.callbacks import Callback, EpochReport, Progress
from rednd_core.training.trainer import Trainer

N_BATCHES = 5  # 280 train pairs, 64 a batch


def play(monkeypatch, scores: list[float]) -> None:
    """Let the k-th validation find ``scores[k]``."""
    remaining = iter(scores)

    def validate(self) -> dict[str, float]:
        self._validation_seconds.append(0.0)
        return {"recall@5": next(remaining)}

    monkeypatch.setattr(Trainer, "validate", validate)


def test_every_batch_of_every_epoch(make_trainer) -> None:
    trainer, diary = make_trainer(epochs=2)
    result = trainer.fit()
    assert diary.batches == [(e, b) for e in (1, 2) for b in range(1, N_BATCHES + 1)]
    assert (result.state, result.epochs) == ("finished", 2)
    assert [r.epoch for r in diary.reports] == [1, 2]
    assert set(diary.reports[0].losses) == {"bpr", "regularization"}
    assert 0 < result.seconds_per_epoch < 60
    assert 0 < result.seconds_per_validation < 60


def test_adam_on_the_weighted_sum(make_trainer, planted) -> None:
    """One step from scratch: sign-like Adam step of lr along the gradient of the weighted losses."""
    trainer, _ = make_trainer("rednnd", batch_size=1000, epochs=1, eval_every=1)
    trainer.model.set_loss_weight("regularization", 0.5)
    before = [p.detach().clone() for p in trainer.model.parameters()]
    twin, _ = make_trainer("rednnd", batch_size=1000)
    (batch,) = twin.sampler.epoch()
    losses = twin.model.losses(batch)
    total = losses["bpr"] + 0.5 * losses["regularization"] + 0.01 * losses["alignment"]
    grads = torch.autograd.grad(total, list(twin.model.parameters()))
    trainer.fit()
    for was, now, grad in zip(before, trainer.model.parameters(), grads, strict=True):
        step = 0.02 * grad / (grad.abs() + 1e-8)
        torch.testing.assert_close(now.detach(), was - step, rtol=1e-3, atol=2e-5)


def test_reported_losses_are_unweighted_means(make_trainer) -> None:
    trainer, diary = make_trainer(epochs=1)
    step, seen = trainer.steps["joint"], []
    trainer.steps["joint"] = lambda batch: seen.append(step(batch)) or seen[-1]
    trainer.fit()
    for name, mean in diary.reports[0].losses.items():
        assert mean == pytest.approx(float(np.mean([float(losses[name]) for losses in seen])))
    assert len(seen) == N_BATCHES


def test_the_best_checkpoint_is_what_the_model_holds(make_trainer, planted) -> None:
    trainer, diary = make_trainer(epochs=40, learning_rate=0.3, patience=40)
    result = trainer.fit()
    scores = [r.valid["recall@5"] for r in diary.reports]
    assert result.best_epoch == int(np.argmax(scores)) + 1 < 40, "no epoch after the best one"
    users, items = trainer.model.embeddings()
    fresh = evaluate(users, items, planted.train_matrix, planted.valid, (5,)).metrics
    assert fresh == result.valid == diary.reports[result.best_epoch - 1].valid
    assert any(not torch.equal(diary.last[k], v) for k, v in trainer.model.state_dict().items())


def test_validation_sees_the_model_after_the_epoch(make_trainer, planted) -> None:
    """A fresh forward pass with the parameters as they are, not with those before the last step."""
    trainer, diary = make_trainer(epochs=1)
    trainer.fit()
    users, items = trainer.model.embeddings()
    found = evaluate(users, items, planted.train_matrix, planted.valid, (5,)).metrics
    assert diary.reports[0].valid == found


def test_early_stopping_counts_validations(make_trainer, monkeypatch) -> None:
    play(monkeypatch, [0.1, 0.3, 0.3, 0.2, 0.9])
    trainer, diary = make_trainer(epochs=100, patience=2, eval_every=3)
    result = trainer.fit()
    assert (result.epochs, result.best_epoch) == (12, 6)  # validations at 3, 6, 9, 12
    assert [r.epoch for r in diary.reports if r.valid] == [3, 6, 9, 12]
    assert [r.epoch for r in diary.reports if r.improved] == [3, 6]
    assert result.valid == {"recall@5": 0.3}


def test_a_better_validation_starts_the_count_again(make_trainer, monkeypatch) -> None:
    play(monkeypatch, [0.5, 0.4, 0.6, 0.1, 0.2, 0.9])
    trainer, _ = make_trainer(epochs=100, patience=2)
    assert (trainer.fit().epochs, trainer.state.best_epoch) == (5, 3)


def test_the_last_epoch_is_always_validated(make_trainer) -> None:
    trainer, diary = make_trainer(epochs=4, eval_every=3)
    result = trainer.fit()
    assert [r.epoch for r in diary.reports if r.valid] == [3, 4]
    assert result.best_epoch in (3, 4)
    assert diary.reports[0].seconds_validation == 0


def test_test_pairs_change_nothing(make_trainer, planted) -> None:
    """Selection and weights see train and validation only."""
    split = planted.split
    swapped = Split(
        split.train, split.valid, Interactions(split.test.users[:1], split.test.items[:1])
    )
    runs = [make_trainer(split=s) for s in (split, swapped)]
    results = [trainer.fit() for trainer, _ in runs]
    assert results[0].best_epoch == results[1].best_epoch
    assert runs[0][1].rows == runs[1][1].rows
    for mine, theirs in zip(*(t.model.state_dict().values() for t, _ in runs), strict=True):
        assert torch.equal(mine, theirs)


def test_validation_pairs_are_not_trained_on(make_trainer, planted) -> None:
    """Other validation pairs, the same training: only the choice among its epochs may differ."""
    other = Split(planted.train, planted.test, planted.valid)
    last = []
    for split in (planted.split, other):
        trainer, diary = make_trainer(split=split, epochs=2)
        trainer.fit()
        last.append(diary.last)
    assert all(torch.equal(last[0][k], last[1][k]) for k in last[0])


def test_a_model_without_parameters_is_evaluated_once(make_trainer) -> None:
    trainer, diary = make_trainer("popularity")
    result = trainer.fit()
    assert (result.state, result.epochs, result.best_epoch) == ("finished", 0, 0)
    assert set(result.valid) >= {"recall@5", "ndcg@5"}
    assert diary.batches == diary.reports == []
    assert math.isnan(result.seconds_per_epoch)


# What cannot work is refused before the first epoch.


@pytest.mark.parametrize("metric", ["recall@20", "recal@5", "recall", "ndcg@0", "recall@05"])
def test_select_by_is_checked_at_once(make_trainer, metric: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make_trainer(select_by=metric, ks=(5, 10))
    for name in ("recall", "ndcg", "precision", "map", "hit_rate"):
        assert f"{name}@5" in str(caught.value)
        assert f"{name}@10" in str(caught.value)


def test_no_validation_pairs(make_trainer, planted) -> None:
    nobody = Interactions(np.array([], dtype=np.int64), np.array([], dtype=np.int64))
    with pytest.raises(DataError, match="validation pairs to choose the checkpoint by"):
        make_trainer(split=Split(planted.train, nobody, planted.test))


# The guard against divergence.


def poison(trainer: Trainer, at_batch: int, where: str) -> None:
    """Make the loss, or only the parameters after the step, NaN in batch ``at_batch`` from 0."""
    step, count = trainer.steps["joint"], iter(range(10**6))

    def poisoned(batch):
        losses = step(batch)
        if next(count) == at_batch:
            if where == "parameters":
                with torch.no_grad():
                    next(iter(trainer.model.parameters()))[0, 0] = math.nan
            else:
                losses["bpr"] = losses["bpr"] * math.nan
        return losses

    trainer.steps["joint"] = poisoned


@pytest.mark.parametrize(
    ("where", "at_batch"), [("losses", 7), ("parameters", 9), ("parameters", 6)]
)
def test_divergence_ends_training(make_trainer, where: str, at_batch: int) -> None:
    """In the second epoch; batch 9 is its last, whose losses were still finite."""
    trainer, diary = make_trainer(eval_every=5)
    poison(trainer, at_batch, where)
    with pytest.raises(TrainingError, match=r"in epoch 2, but found .*lower the learning rate"):
        trainer.fit()
    assert [r.epoch for r in diary.reports] == [1]
    assert diary.last == {}, "on_end would save what is broken"


def test_divergence_just_before_a_stop(make_trainer, stop) -> None:
    trainer, diary = make_trainer(commands={8: [stop]})
    poison(trainer, 7, "parameters")
    with pytest.raises(TrainingError, match="NaN or infinity in the parameters"):
        trainer.fit()
    assert diary.last == {}


# Commands.


def test_a_new_weight_counts_from_the_very_next_batch(make_trainer) -> None:
    ticket = "0123456789abcdef" * 2
    command = Command(command="set_weight", loss="alignment", value=0.25, ticket=ticket)
    trainer, diary = make_trainer("rednnd", {7: [command]}, epochs=3)
    used = []
    step = trainer.steps["joint"]
    trainer.steps["joint"] = lambda batch: (
        used.append(trainer.model.loss_weights["alignment"]) or step(batch)
    )
    trainer.fit()
    assert used == [0.01] * 7 + [0.25] * 8
    told = {
        "loss": "alignment",
        "value": 0.25,
        "ticket": ticket,
    }  # the sender knows its own command by it
    assert diary.events == [("set_weight", told, (2, 2))]
    assert [r.weights["alignment"] for r in diary.reports] == [0.01, 0.25, 0.25]


def test_a_loss_left_out_for_a_while_keeps_its_mean(make_trainer) -> None:
    """Weight 0 from batch 2 on: the mean is over the two batches that had it."""
    off = Command(command="set_weight", loss="alignment", value=0.0)
    changed, diary = make_trainer("rednnd", {2: [off]}, epochs=2)
    whole, _ = make_trainer("rednnd", epochs=1)
    seen = []
    step = whole.steps["joint"]
    whole.steps["joint"] = lambda batch: seen.append(step(batch)) or seen[-1]
    changed.fit()
    whole.fit()
    expected = np.mean([float(losses["alignment"]) for losses in seen[:2]])
    assert diary.reports[0].losses["alignment"] == pytest.approx(expected)
    assert "alignment" not in diary.reports[1].losses


def test_an_unknown_loss_is_refused_and_training_goes_on(make_trainer) -> None:
    command = Command(command="set_weight", loss="alignmnt", value=0.25)
    trainer, diary = make_trainer("rednnd", {2: [command]}, epochs=1)
    assert trainer.fit().state == "finished"
    ((event, details, _),) = diary.events
    assert (event, details["loss"]) == ("refused", "alignmnt")
    assert "did you mean 'alignment'" in details["message"]


def test_stop_before_a_batch(make_trainer, stop) -> None:
    trainer, diary = make_trainer(commands={7: [stop]})
    result = trainer.fit()
    assert result.state == "stopped"
    assert (result.epochs, trainer.state.batch) == (1, 2)
    assert diary.batches[-1] == (2, 2)
    assert diary.events == [("stopped", {}, (2, 2))]
    assert result.best_epoch == 1


def test_stop_before_the_first_validation(make_trainer, stop) -> None:
    trainer, diary = make_trainer(commands={0: [stop]})
    result = trainer.fit()
    assert (result.state, result.epochs, result.best_epoch, result.valid) == (
        "stopped",
        0,
        None,
        {},
    )
    assert diary.batches == []


def test_pause_waits_and_changes_nothing(make_trainer, monkeypatch) -> None:
    monkeypatch.setattr(control, "PAUSE_POLL_SECONDS", 0.0)
    pause, resume = Command(command="pause"), Command(command="resume")
    plain, plain_diary = make_trainer(epochs=1)
    plain.fit()
    trainer, diary = make_trainer(commands={2: [pause], 9: [resume]}, epochs=1)
    trainer.fit()
    assert diary.waits == 7
    assert [event for event, _, _ in diary.events] == ["paused", "resumed"]
    assert diary.rows == plain_diary.rows


def test_the_time_of_a_pause_is_not_the_epochs(make_trainer, monkeypatch) -> None:
    monkeypatch.setattr(control, "PAUSE_POLL_SECONDS", 1.0)
    commands = {2: [Command(command="pause")], 4: [Command(command="resume")]}
    trainer, diary = make_trainer(commands=commands, epochs=1)
    trainer.fit()
    assert diary.waits == 2
    assert diary.reports[0].seconds < 1.9


@pytest.mark.parametrize("second", ["stop", "set_weight"])
def test_commands_that_arrive_with_a_resume_are_not_lost(make_trainer, monkeypatch, second) -> None:
    monkeypatch.setattr(control, "PAUSE_POLL_SECONDS", 0.0)
    extra = {"loss": "alignment", "value": 0.5} if second == "set_weight" else {}
    together = [Command(command="resume"), Command(command=second, **extra)]
    trainer, diary = make_trainer("rednnd", {1: [Command(command="pause")], 3: together}, epochs=1)
    result = trainer.fit()
    applied = [event for event, _, _ in diary.events]
    assert applied == ["paused", "resumed", {"stop": "stopped"}.get(second, second)]
    assert result.state == ("stopped" if second == "stop" else "finished")


def test_stop_and_weights_reach_a_paused_training(make_trainer, monkeypatch, stop) -> None:
    monkeypatch.setattr(control, "PAUSE_POLL_SECONDS", 0.0)
    weight = Command(command="set_weight", loss="regularization", value=2.0)
    trainer, diary = make_trainer(commands={1: [Command(command="pause")], 2: [weight], 4: [stop]})
    assert trainer.fit().state == "stopped"
    assert [event for event, _, _ in diary.events] == ["paused", "set_weight", "stopped"]
    assert len(diary.batches) == 1


def test_repeated_commands_are_told_once(make_trainer, monkeypatch, stop) -> None:
    monkeypatch.setattr(control, "PAUSE_POLL_SECONDS", 0.0)
    pause, resume = Command(command="pause"), Command(command="resume")
    script = {0: [resume, pause, pause], 1: [resume, resume], 3: [stop, stop]}
    trainer, diary = make_trainer(commands=script)
    trainer.fit()
    assert [event for event, _, _ in diary.events] == ["paused", "resumed", "stopped"]


def test_progress() -> None:
    progress = Progress(epoch=2, epochs=4, batch=3, n_batches=10, seconds_per_batch=0.5)
    assert progress.seconds_left == pytest.approx((2 * 10 + 7) * 0.5)
    slow = replace(progress, seconds_after_epoch=4.0)  # a validation after each of three epochs
    assert slow.seconds_left == pytest.approx((2 * 10 + 7) * 0.5 + 3 * 4.0)


def test_progress_counts_what_follows_an_epoch(make_trainer) -> None:
    """Validation, measuring and saving take their time, too: "at most" would else be too little."""

    class Slow(Callback):
        def __init__(self) -> None:
            self.progress: list[Progress] = []

        def on_batch(self, trainer: Trainer, progress: Progress) -> None:
            self.progress.append(progress)

        def on_epoch(self, trainer: Trainer, report: EpochReport) -> None:
            time.sleep(0.05)

    slow = Slow()
    trainer, _ = make_trainer(more=[slow], epochs=2)
    trainer.fit()
    first = [p for p in slow.progress if p.epoch == 1]
    second = [p for p in slow.progress if p.epoch == 2]
    assert {p.seconds_after_epoch for p in first} == {0.0}
    assert all(p.seconds_after_epoch >= 0.05 for p in second)
    assert second[-1].seconds_left >= 0.05
