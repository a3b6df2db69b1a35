"""Two processes train the model of one: the same result, the same commands, the same resumed run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from rednd_core.config import DataConfig, RunConfig
from rednd_core.data.schema import Interactions
from rednd_core.evaluation.evaluate import evaluate
from rednd_core.runs import (
    Command,
    Provenance,
    Run,
    RunRecord,
    RunWriter,
    create_run,
    requeue,
    send,
)
from rednd_core.training.callbacks import Callback
from rednd_core.training.distributed import ALONE, World, joined
from rednd_core.training.experiment import take_part, train_run
from rednd_core.training.together import evaluate_together
from tests.training.distributed.pair import NEEDS_FORK

pytestmark = NEEDS_FORK

FULL = {"alignment_scope": "full"}


def trained(make_trainer, world: World, *args, **options) -> dict:
    trainer, diary = make_trainer(*args, world=world, **options)
    result = trainer.fit()
    return {
        "last": diary.last,
        "moments": diary.moments,
        "best": {k: v.clone() for k, v in trainer.model.state_dict().items()},
        "rows": diary.rows,
        "events": diary.events,
        "result": (result.state, result.epochs, result.best_epoch, result.valid),
        "place": (trainer.state.epoch, trainer.state.batch),
        "sums": trainer.state.loss_sums,
    }


def assert_same_bits(mine: dict, theirs: dict) -> None:
    for part in ("last", "moments", "best"):
        assert mine[part].keys() == theirs[part].keys()
        for key, values in mine[part].items():
            assert torch.equal(values, theirs[part][key]), (part, key)
    for part in ("rows", "events", "result", "place", "sums"):
        assert mine[part] == theirs[part], part


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("mf", {}),
        ("gcn", {}),
        ("lightgcn", {}),
        ("rednnd", {"alignment_weight": 0.0}),
        ("rednnd", {"alignment_scope": "full"}),
        ("popularity", {}),
    ],
)
def test_two_processes_train_the_model_of_one(pair, make_trainer, name: str, settings) -> None:
    """Three epochs of four batches, the last of one pair, which is one share; the other is empty."""
    options = {"settings": settings, "batch_size": 93, "epochs": 3}

    def work(rank: int) -> dict:
        with joined() as world:
            # Parameters of another seed, which process 0 replaces by its own.
            return trained(make_trainer, world, name, seed=7 * rank, **options)

    first, second = pair(work).results()
    assert_same_bits(first, second)
    alone = trained(make_trainer, ALONE, name, **options)
    assert first["result"][:2] == alone["result"][:2]
    for key, values in alone["last"].items():
        torch.testing.assert_close(first["last"][key], values, rtol=1e-4, atol=2e-5)
    for mine, theirs in zip(first["rows"], alone["rows"], strict=True):
        assert mine[1] == pytest.approx(theirs[1], rel=1e-4)  # losses
        assert mine[3] == pytest.approx(theirs[3], abs=0.02)  # metrics: a swap of two near-ties


def test_both_stop_early_at_the_same_epoch(pair, make_trainer) -> None:
    def work(rank: int) -> dict:
        with joined() as world:
            return trained(make_trainer, world, epochs=500, patience=3, learning_rate=0.1)

    first, second = pair(work).results()
    assert_same_bits(first, second)
    epochs, best = first["result"][1:3]
    assert epochs == best + 3 < 500


def test_validation_is_divided_and_exact(pair, planted) -> None:
    """Users 0, 2 and 3, so that one process has two of them, and a user alone, so that one has none."""
    rng = np.random.default_rng(0)
    users, items = (torch.from_numpy(rng.normal(size=(n, 4)).astype(np.float32)) for n in (40, 30))
    chosen = [np.isin(planted.test.users, ids) for ids in ([0, 2, 3], [5])]
    parts = [Interactions(planted.test.users[c], planted.test.items[c]) for c in chosen]
    arguments = [(users, items, planted.train_matrix, part, (5, 20)) for part in parts]

    def work(rank: int) -> list:
        with joined() as world:
            return [evaluate_together(world, *each).per_user for each in arguments]

    for found in pair(work).results():
        for table, each in zip(found, arguments, strict=True):
            assert table.equals(evaluate(*each).per_user)


def test_commands_reach_both_wherever_they_arrive(pair, make_trainer) -> None:
    """A weight, a pause and a resume come to process 0, the stop to process 1."""
    weight = Command(command="set_weight", loss="alignment", value=0.25)
    pause, resume, stop = (Command(command=word) for word in ("pause", "resume", "stop"))
    scripts = ({7: [weight], 8: [pause], 9: [resume]}, {12: [stop]})

    def work(rank: int) -> dict:
        with joined() as world:
            return trained(make_trainer, world, "rednnd", dict(scripts[rank]), settings=FULL)

    first, second = pair(work).results()
    assert_same_bits(first, second)
    assert [event for event, *_ in first["events"]] == [
        "set_weight", "paused", "resumed", "stopped",
    ]  # fmt: skip
    # Asked once a batch, and once more for the pause: the stop is found before batch 11, from 0.
    assert first["place"] == (2, 1)
    alone = trained(make_trainer, ALONE, "rednnd", {7: [weight], 11: [stop]}, settings=FULL)
    assert alone["place"] == (2, 1)
    for key, values in alone["last"].items():
        torch.testing.assert_close(first["last"][key], values, rtol=1e-4, atol=2e-5)
    assert first["sums"] == pytest.approx(alone["sums"], rel=1e-4)


class StopAt(Callback):
    """Sends a stop as the app would, after a batch."""

    def __init__(self, run_dir: Path, place: tuple[int, int]) -> None:
        self.run, self.place = Run(run_dir), place

    def on_batch(self, trainer, progress) -> None:
        if (progress.epoch, progress.batch) == self.place:
            send(self.run, Command(command="stop"))


def test_a_resumed_pair_goes_on_to_the_same_bits(
    pair, planted_folder: Path, tmp_path: Path, config, monkeypatch
) -> None:
    """Stopped inside an epoch; process 1 reads and writes nothing of the run, before and after."""
    settings = RunConfig(
        model="rednnd",
        data=DataConfig(path=str(planted_folder)),
        hyperparameters={"embedding_size": 4, "knn_k": 3, "alignment_weight": 0.01} | FULL,
        training=config(epochs=5, eval_every=2, engine="csr"),
    )
    record = RunRecord(config=settings, provenance=Provenance(seed=3))
    whole, cut = tmp_path / "runs" / "whole", tmp_path / "runs" / "cut"

    def work(rank: int) -> None:
        with joined() as world:
            if rank:
                monkeypatch.setattr(RunWriter, "__init__", None)  # it has no business with one
                for _ in range(3):
                    take_part(world)
                return
            train_run(create_run(whole, record), world=world)
            writer = create_run(cut, record)
            stopped = train_run(writer, watch=[StopAt(cut, (3, 2))], world=world)
            assert (stopped.state, stopped.epochs) == ("stopped", 2)
            requeue(cut)
            train_run(RunWriter(cut), resume=True, world=world)

    pair(work).results()
    mine, theirs = Run(whole), Run(cut)
    assert theirs.status.state == mine.status.state == "finished"
    assert theirs.record.provenance.processes == 2
    assert theirs.evaluation() == mine.evaluation()
    for a, b in zip(mine.embeddings(), theirs.embeddings(), strict=True):
        np.testing.assert_array_equal(a, b)
    seconds = [name for name in mine.metrics() if "seconds" in name]
    assert theirs.metrics().drop(columns=seconds).equals(mine.metrics().drop(columns=seconds))
