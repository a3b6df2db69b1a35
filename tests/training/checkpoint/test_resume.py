"""A stopped run goes on bit for bit."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from rednd_core.runs import Command
from rednd_core.training.checkpoint import restore_last
from tests.training.checkpoint.saving import STOP, Saver, assert_same_end

WEIGHT = Command(command="set_weight", loss="alignment", value=0.3)


@pytest.mark.parametrize("stop_at", [0, 1, 8, 10, 15, 29], ids=lambda n: f"batch {n}")
@pytest.mark.parametrize("name", ["lightgcn", "rednnd"])
def test_stopped_and_resumed_is_uninterrupted(make_trainer, tmp_path, name, stop_at) -> None:
    """5 batches an epoch: before any, in mid-epoch, at an epoch's end, before the very last batch.

    RedNⁿD's alignment weight is changed at batch 6, before or after the stop.
    """
    weight = {6: [WEIGHT]} if name == "rednnd" else {}
    whole = make_trainer(name, dict(weight))
    result = whole[0].fit()
    before = {n: c for n, c in weight.items() if n < stop_at} | {stop_at: [STOP]}
    first = make_trainer(name, before, more=[Saver(tmp_path)])
    assert first[0].fit().state == "stopped"
    torch.manual_seed(12345)
    after = {n - stop_at: c for n, c in weight.items() if n >= stop_at}
    second = make_trainer(name, after, seed=99)
    restore_last(tmp_path, second[0])
    assert_same_end(whole, second, result, second[0].fit())
    assert first[1].rows + second[1].rows == whole[1].rows


def test_stopped_twice_in_one_epoch(make_trainer, tmp_path) -> None:
    whole = make_trainer(epochs=3)
    result = whole[0].fit()
    make_trainer(commands={6: [STOP]}, epochs=3, more=[Saver(tmp_path)])[0].fit()
    for n in (0, 2):  # at once, and two batches on
        again, _ = make_trainer(commands={n: [STOP]}, epochs=3, seed=n, more=[Saver(tmp_path)])
        restore_last(tmp_path, again)
        again.fit()
        assert (again.state.epoch, again.state.batch) == (1, 1 + n)
    last = make_trainer(epochs=3, seed=50)
    restore_last(tmp_path, last[0])
    assert_same_end(whole, last, result, last[0].fit())


def test_patience_survives_a_resume(make_trainer, tmp_path) -> None:
    """Early stopping counts on from where it was."""
    options = {"epochs": 60, "patience": 3, "learning_rate": 0.3}
    whole = make_trainer(**options)
    result = whole[0].fit()
    assert result.epochs < 60
    make_trainer(commands={5 * (result.epochs - 1): [STOP]}, more=[Saver(tmp_path)], **options)[
        0
    ].fit()
    second = make_trainer(seed=9, **options)
    restore_last(tmp_path, second[0])
    assert second[0].state.stale == 2
    assert_same_end(whole, second, result, second[0].fit())


def test_a_finished_run_resumes_to_itself(make_trainer, tmp_path) -> None:
    trainer, _ = make_trainer(epochs=3, more=[Saver(tmp_path)])
    result = trainer.fit()
    again, diary = make_trainer(epochs=3, seed=9)
    restore_last(tmp_path, again)
    other = again.fit()
    assert diary.batches == []
    assert (other.epochs, other.best_epoch, other.valid) == (3, result.best_epoch, result.valid)
    for key, value in trainer.model.state_dict().items():
        assert torch.equal(value, again.model.state_dict()[key])


def test_more_epochs_than_first_planned(make_trainer, tmp_path) -> None:
    whole = make_trainer(epochs=6)
    result = whole[0].fit()
    make_trainer(epochs=4, more=[Saver(tmp_path)])[0].fit()
    longer = make_trainer(epochs=6, seed=4)
    restore_last(tmp_path, longer[0])
    assert_same_end(whole, longer, result, longer[0].fit())


def test_a_checkpoint_with_moments_without_a_name_goes_on(make_trainer, tmp_path) -> None:
    """Written by a version whose models had one optimiser, and which kept the global generator as well."""
    whole = make_trainer()
    result = whole[0].fit()
    make_trainer(commands={8: [STOP]}, more=[Saver(tmp_path)])[0].fit()
    (path,) = tmp_path.glob("last.*.state.safetensors")
    with safe_open(path, framework="pt") as file:
        head = file.metadata()
    tensors = {
        key.replace("optimizer.joint.", "optimizer."): value
        for key, value in load_file(path).items()
    }
    assert "optimizer.0.exp_avg" in tensors
    save_file(tensors | {"rng.torch": torch.get_rng_state()}, path, head)
    place = json.loads((tmp_path / "last.json").read_bytes())
    del place["validations"], place["lowest_score"]
    (tmp_path / "last.json").write_text(json.dumps(place))
    second = make_trainer(seed=9)
    restore_last(tmp_path, second[0])
    assert_same_end(whole, second, result, second[0].fit())
