"""A callback that saves, the command that stops, and what is the same after a resume."""

from __future__ import annotations

from pathlib import Path

import torch

from rednd_core.runs import Command
from rednd_core.training.callbacks import Callback
from rednd_core.training.checkpoint import save_checkpoints

STOP = Command(command="stop")


class Saver(Callback):
    """Saves after the epochs in ``at``, and at the end."""

    def __init__(self, folder: Path, at: tuple[int, ...] = ()) -> None:
        self.folder, self.at = folder, at

    def on_epoch(self, trainer, report) -> None:
        if report.epoch in self.at:
            save_checkpoints(self.folder, trainer)

    def on_end(self, trainer) -> None:
        save_checkpoints(self.folder, trainer)


def assert_same_end(first, second, result, other) -> None:
    """Parameters (best and last), Adam's moments, numbers: not a bit differs."""
    (trainer, diary), (later, later_diary) = first, second
    assert diary.last.keys() == later_diary.last.keys()
    for key, value in diary.last.items():
        assert torch.equal(value, later_diary.last[key]), key
    for key, value in trainer.model.state_dict().items():
        assert torch.equal(value, later.model.state_dict()[key]), key
    assert diary.moments.keys() == later_diary.moments.keys() != set()
    assert all(torch.equal(v, later_diary.moments[key]) for key, v in diary.moments.items())
    assert torch.equal(trainer.sampler.state(), later.sampler.state())
    assert (result.epochs, result.best_epoch, result.valid) == (
        other.epochs,
        other.best_epoch,
        other.valid,
    )
    assert (trainer.state.stale, trainer.state.best_score) == (
        later.state.stale,
        later.state.best_score,
    )
    assert trainer.model.loss_weights == later.model.loss_weights
