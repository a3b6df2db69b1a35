"""Which alignment weight a run was trained with: it can be moved while it trains."""

from __future__ import annotations

from dataclasses import dataclass

from rednd_core.runs.journal import Row
from rednd_core.runs.run import Run

MOST_MOVES_TOLD = 3


@dataclass(frozen=True)
class AlignmentWeight:
    """Weights of the alignment loss up to the epoch that was kept.

    Attributes:
        values: the configured weight, then those that it was moved to; none equals the one before.
    """

    values: tuple[float, ...]

    @property
    def last(self) -> float:
        """In force in the epoch that was kept."""
        return self.values[-1]

    @property
    def moved(self) -> bool:
        return len(self.values) > 1

    def __str__(self) -> str:
        """``0.001``, ``0.001 → 1 → 0.03 (moved)``, or ``0.001 → … → 0.03 (moved 9 times)``."""
        told = [f"{value:g}" for value in self.values]
        n_moves = len(told) - 1
        if n_moves > MOST_MOVES_TOLD:
            return f"{told[0]} → … → {told[-1]} (moved {n_moves} times)"
        return " → ".join(told) + (" (moved)" if n_moves else "")


def alignment_weight(run: Run) -> AlignmentWeight | None:
    """The weights of ``run`` up to its best epoch, or to now before the first validation.

    None for a model without the alignment.
    """
    start = run.config.hyperparameters.get("alignment_weight")
    if not isinstance(start, int | float):
        return None
    best = run.status.best_epoch
    values = [float(start)]
    for event in run.events():
        value = _alignment(event)
        # An event has the completed epochs: it counts from the epoch after them on.
        in_time = value is not None and (best is None or event["epoch"] < best)
        if value is not None and in_time and value != values[-1]:
            values.append(value)
    return AlignmentWeight(tuple(values))


def _alignment(event: Row) -> float | None:
    """The weight in force after ``event``, where that says so: it was set, or restored by a resume."""
    if event["event"] == "set_weight" and event["loss"] == "alignment":
        return float(event["value"])
    if event["event"] == "continued" and "alignment" in event.get("weights", {}):
        return float(event["weights"]["alignment"])
    return None
