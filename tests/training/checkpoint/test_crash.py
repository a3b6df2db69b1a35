"""A crash, a full disk or a divergence leaves a saving that can be read, or is noticed."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from rednd_core import atomic
from rednd_core.errors import TrainingError
from rednd_core.training import checkpoint
from rednd_core.training.callbacks import Callback
from rednd_core.training.checkpoint import restore_last, save_checkpoints
from tests.training.checkpoint.saving import STOP, Saver, assert_same_end

N_RENAMES = 5  # best, the two files of last and last.json, then best to its own name


def crash_after(monkeypatch, n_renames: int) -> None:
    """Die as soon as ``n_renames`` files of a saving have been renamed."""
    rename, done = checkpoint.commit, []

    def commit(temporary: Path, path: Path) -> None:
        if n_renames:
            rename(temporary, path)
            done.append(path)
        if len(done) == n_renames:
            raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint, "commit", commit)


@pytest.mark.parametrize("n_renames", range(N_RENAMES + 1))
def test_a_crash_between_two_renames(make_trainer, tmp_path, monkeypatch, n_renames: int) -> None:
    """The older saving or the newer one, whole, with its own best epoch, which is another."""
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
                crash_after(monkeypatch, n_renames)
                save_checkpoints(tmp_path, trainer)

    crashing.callbacks.append(Crash())
    with pytest.raises(KeyboardInterrupt):
        crashing.fit()
    monkeypatch.undo()
    saved = late if n_renames >= 4 else early
    second = make_trainer(seed=8, **options)
    restore_last(tmp_path, second[0])
    assert second[0].state.epoch == saved
    stopped, _ = make_trainer(commands={0: [STOP]}, **options)
    restore_last(tmp_path, stopped)
    ending = stopped.fit()
    valid = next(dict(r.valid) for r in whole[1].reports if r.epoch == saved)
    assert (ending.best_epoch, ending.valid) == (saved, valid)
    assert_same_end(whole, second, result, second[0].fit())
    save_checkpoints(tmp_path, second[0])
    files = sorted(path.name for path in tmp_path.iterdir() if not path.name.startswith("."))
    assert len(files) == 4, "what the crash left is gone"


def test_a_full_disk_leaves_the_old_saving(make_trainer, tmp_path, monkeypatch) -> None:
    """Nothing is renamed before everything is written, and what was written is given back."""
    trainer, _ = make_trainer(epochs=2, more=[Saver(tmp_path)])
    trainer.fit()
    before = sorted(tmp_path.iterdir())
    stage = atomic.stage

    def full(path: Path, write):
        if path.name == "last.json":
            raise OSError(28, "No space left on device")
        return stage(path, write)

    monkeypatch.setattr(atomic, "stage", full)
    with pytest.raises(OSError, match="No space"):
        save_checkpoints(tmp_path, trainer)
    assert sorted(tmp_path.iterdir()) == before
    restore_last(tmp_path, make_trainer()[0])


def test_divergence_leaves_last_readable(make_trainer, tmp_path) -> None:
    trainer, _ = make_trainer(more=[Saver(tmp_path, at=(1,))])
    inner, count = trainer.steps["joint"], iter(range(100))

    def step(batch):
        losses = inner(batch)
        if next(count) == 7:
            with torch.no_grad():
                trainer.model.node_emb.mul_(torch.inf)
        return losses

    trainer.steps["joint"] = step
    with pytest.raises(TrainingError):
        trainer.fit()
    healthy, _ = make_trainer(seed=1)
    restore_last(tmp_path, healthy)
    assert healthy.state.epoch == 1
    assert bool(healthy.model.node_emb.isfinite().all())
