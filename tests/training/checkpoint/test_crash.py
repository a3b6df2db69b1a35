"""A crash, a full disk or a divergence leaves a saving that can be read, or is noticed."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from rednd_core.errors import CheckpointError, TrainingError
from rednd_core.training import checkpoint
from rednd_core.training.callbacks import Callback
from rednd_core.training.checkpoint import restore_last, save_checkpoints
from tests.training.checkpoint.saving import STOP, Saver, assert_same_end


def crash_after(monkeypatch, n_renames: int) -> None:
    """Die when ``n_renames`` files of a saving have been renamed."""
    rename, left = checkpoint.commit, iter([True] * n_renames)

    def commit(temporary: Path, path: Path) -> None:
        if not next(left, False):
            raise KeyboardInterrupt
        rename(temporary, path)

    monkeypatch.setattr(checkpoint, "commit", commit)


def test_a_crash_between_best_and_last(make_trainer, tmp_path, monkeypatch) -> None:
    """``best`` is of a later epoch than ``last`` knows: the resume reaches that epoch again."""
    options = {"epochs": 30, "patience": 30}
    whole = make_trainer(**options)
    result = whole[0].fit()
    improved = [r.epoch for r in whole[1].reports if r.improved]
    assert len(improved) >= 2
    early, late = improved[-2], improved[-1]
    crashing, _ = make_trainer(more=[Saver(tmp_path, at=(early,))], **options)
    crashing.callbacks[1].on_end = lambda trainer: None

    class Crash(Callback):
        def on_epoch(self, trainer, report) -> None:
            if report.epoch == late:
                crash_after(monkeypatch, 1)
                save_checkpoints(tmp_path, trainer)

    crashing.callbacks.append(Crash())
    with pytest.raises(KeyboardInterrupt):
        crashing.fit()
    monkeypatch.undo()
    with safe_open(tmp_path / "best.safetensors", framework="pt") as file:
        assert file.metadata()["epoch"] == str(late)
    second = make_trainer(seed=8, **options)
    restore_last(tmp_path, second[0])
    assert second[0].position.epoch == early
    stopped, _ = make_trainer(commands={0: [STOP]}, **options)
    restore_last(tmp_path, stopped)
    ending = stopped.fit()
    assert (ending.best_epoch, ending.valid) == (None, {}), "the parameters of that epoch are gone"
    assert_same_end(whole, second, result, second[0].fit())


@pytest.mark.parametrize("n_renames", [2, 3])
def test_a_crash_inside_last_is_noticed(make_trainer, tmp_path, monkeypatch, n_renames) -> None:
    trainer, _ = make_trainer(epochs=2, more=[Saver(tmp_path)])
    trainer.fit()
    crash_after(monkeypatch, n_renames)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoints(tmp_path, trainer)
    with pytest.raises(CheckpointError, match="files of different savings"):
        restore_last(tmp_path, make_trainer()[0])


def test_a_full_disk_leaves_the_old_saving(make_trainer, tmp_path, monkeypatch) -> None:
    """Nothing is renamed before everything is written."""
    trainer, _ = make_trainer(epochs=2, more=[Saver(tmp_path)])
    trainer.fit()
    stage = checkpoint.stage

    def full(path: Path, write):
        if path.name == "last.json":
            raise OSError(28, "No space left on device")
        return stage(path, write)

    monkeypatch.setattr(checkpoint, "stage", full)
    with pytest.raises(OSError, match="No space"):
        save_checkpoints(tmp_path, trainer)
    restore_last(tmp_path, make_trainer()[0])


def test_divergence_leaves_last_readable(make_trainer, tmp_path) -> None:
    trainer, _ = make_trainer(more=[Saver(tmp_path, at=(1,))])
    inner, count = trainer._step, iter(range(100))

    def step(batch):
        losses = inner(batch)
        if next(count) == 7:
            with torch.no_grad():
                trainer.model.node_emb.mul_(torch.inf)
        return losses

    trainer._step = step
    with pytest.raises(TrainingError):
        trainer.fit()
    healthy, _ = make_trainer(seed=1)
    restore_last(tmp_path, healthy)
    assert healthy.position.epoch == 1
    assert bool(healthy.model.node_emb.isfinite().all())
