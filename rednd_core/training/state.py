"""The state of a training, and its result."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from torch import Tensor


@dataclass
class TrainingState:
    """Where the loop stands: beside parameters and optimisers, all that the rest of the training depends on.

    Attributes:
        epoch: completed epochs; batch: completed batches of the one after.
        sampler: state of the sampler at the beginning of that epoch.
        loss_sums, loss_counts: name -> sum of its values in those batches, and how many had the
            loss (one whose weight is 0 may be left out).
        weights: loss weights in force.
        stale: validations since the best validation.
        validations: how many there were; lowest_score: the least of them.
    """

    sampler: Tensor
    weights: dict[str, float]
    epoch: int = 0
    batch: int = 0
    loss_sums: dict[str, float] = field(default_factory=dict)
    loss_counts: dict[str, int] = field(default_factory=dict)
    best_epoch: int | None = None
    best_score: float = -math.inf
    best_valid: dict[str, float] = field(default_factory=dict)
    stale: int = 0
    validations: int = 0
    lowest_score: float = math.inf


@dataclass(frozen=True)
class FitResult:
    """What training came to; the model holds the parameters of ``best_epoch``.

    Attributes:
        epochs: completed epochs.
        valid: validation metrics of the best epoch; empty if stopped before the first validation.
        seconds_per_epoch: median over the epochs that were trained in one go, without validation;
            NaN where there was none.
        seconds_per_validation: median; NaN where there was none.
    """

    state: Literal["finished", "stopped"]
    epochs: int
    best_epoch: int | None
    valid: dict[str, float]
    seconds_per_epoch: float
    seconds_per_validation: float


def median_seconds(seconds: Sequence[float]) -> float:
    """NaN where nothing was measured."""
    return statistics.median(seconds) if seconds else math.nan
