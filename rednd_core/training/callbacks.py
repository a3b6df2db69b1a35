"""What the training loop reports, and to whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from rednd_core.config import TrainingConfig
from rednd_core.data.sampling import BPRSampler
from rednd_core.data.schema import Dataset
from rednd_core.modeling.base import Recommender
from rednd_core.training.adam import Adam
from rednd_core.training.distributed import World
from rednd_core.training.state import TrainingState


class Training(Protocol):
    """A training under way, as callbacks and checkpoints see it.

    Attributes:
        optimizers: by name; empty for a model that is not trained.
        best_parameters: state of the model at the best validation; None before the first one.
    """

    model: Recommender
    config: TrainingConfig
    device: torch.device
    world: World
    sampler: BPRSampler
    optimizers: dict[str, Adam]
    state: TrainingState
    best_parameters: dict[str, Tensor] | None


@dataclass(frozen=True)
class Progress:
    """Where training stands after a batch; epochs and batches count from 1.

    Attributes:
        seconds_per_batch: mean of this epoch so far.
        seconds_after_epoch: mean of what follows the batches of an epoch (validation, measuring,
            saving); 0 before the first epoch is over.
    """

    epoch: int
    epochs: int
    batch: int
    n_batches: int
    seconds_per_batch: float
    seconds_after_epoch: float = 0.0

    @property
    def seconds_left(self) -> float:
        """Seconds until the last epoch is over; early stopping may end the training sooner."""
        epochs = self.epochs - self.epoch + 1  # the present epoch is not over either
        batches = epochs * self.n_batches - self.batch
        return batches * self.seconds_per_batch + epochs * self.seconds_after_epoch


@dataclass(frozen=True)
class EpochReport:
    """One finished epoch.

    Attributes:
        losses: unweighted means over the batches that had the loss; weights: those in force at the end.
        valid: validation metrics; empty where this epoch had no validation.
        improved: whether it is the best one so far.
    """

    epoch: int
    losses: Mapping[str, float]
    weights: Mapping[str, float]
    valid: Mapping[str, float]
    improved: bool
    seconds: float
    seconds_validation: float


class Callback:
    """Hooks of the loop; all do nothing unless overridden."""

    def on_data(self, dataset: Dataset) -> None:
        """The data set is read, and nothing is trained yet."""

    def on_start(self, trainer: Training) -> None: ...

    def on_batch(self, trainer: Training, progress: Progress) -> None: ...

    def on_wait(self, trainer: Training) -> None:
        """Called about ten times a second while training is paused."""

    def on_event(self, trainer: Training, event: str, details: Mapping[str, object]) -> None:
        """A command was applied (paused, resumed, stopped, set_weight) or refused, or a ``notice`` is due."""

    def on_epoch(self, trainer: Training, report: EpochReport) -> None: ...

    def on_end(self, trainer: Training) -> None:
        """Training is over; the model still holds the last parameters, not the best ones."""
