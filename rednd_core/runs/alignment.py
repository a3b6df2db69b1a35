"""Which alignment weight a run was trained with: it can be moved while it trains."""

from __future__ import annotations

from dataclasses import dataclass

from rednd_core.runs.run import Run


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
        """``0.001``, or ``0.001 → 0.03 (moved)``."""
        start = f"{self.values[0]:g}"
        return f"{start} → {self.last:g} (moved)" if self.moved else start


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
        of_alignment = event["event"] == "set_weight" and event["loss"] == "alignment"
        # An event has the completed epochs: it counts from the epoch after them on.
        if of_alignment and (best is None or event["epoch"] < best):
            value = float(event["value"])
            if value != values[-1]:
                values.append(value)
    return AlignmentWeight(tuple(values))
