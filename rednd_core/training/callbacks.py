"""What the training loop reports, and to whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rednd_core.data.schema import Dataset
    from rednd_core.training.trainer import Trainer


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
        """Until the last epoch; early stopping may end it sooner."""
        epochs = self.epochs - self.epoch + 1  # this one, too, is not over
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

    def on_start(self, trainer: Trainer) -> None: ...

    def on_batch(self, trainer: Trainer, progress: Progress) -> None: ...

    def on_wait(self, trainer: Trainer) -> None:
        """Called about ten times a second while training is paused."""

    def on_event(self, trainer: Trainer, event: str, details: Mapping[str, object]) -> None:
        """A command was applied (paused, resumed, stopped, set_weight) or refused."""

    def on_epoch(self, trainer: Trainer, report: EpochReport) -> None: ...

    def on_end(self, trainer: Trainer) -> None:
        """Training is over; the model still holds the last parameters, not the best ones."""
