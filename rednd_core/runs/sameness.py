"""Which figures of two runs are the same bit for bit, and how far the others are apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rednd_core.runs.record import Metrics
from rednd_core.runs.run import Run

if TYPE_CHECKING:
    import pandas as pd

    from rednd_core.runs.layers import FloatArray

ENDS, LOSSES = "the epochs", "losses of every epoch"
VALIDATION, BEST = "validation metrics of every epoch", "validation metrics of the best epoch"
TEST, VECTORS = "test metrics", "scoring vectors"
SECTIONS = (ENDS, LOSSES, VALIDATION, BEST, TEST, VECTORS)


@dataclass(frozen=True)
class Figure:
    """One recorded figure, or one that has a value an epoch or a node, in two runs.

    Attributes:
        section: one of :data:`SECTIONS`.
        n_values: that the first run has; n_different: those of them that the second has not.
        largest: the largest absolute difference; None where nothing differs, or a value is missing.
        where: the place of the largest difference, e.g. ``epoch 3``; empty for a single value.
    """

    section: str
    name: str
    n_values: int
    n_different: int
    largest: float | None = None
    where: str = ""

    @property
    def same(self) -> bool:
        return self.n_different == 0


def compare(recorded: Run, again: Run) -> list[Figure]:
    """Every figure that ``recorded`` has, beside the same figure of ``again``.

    Times are no figures, and what only ``again`` has is left out. A run that keeps no layers has no
    scoring vectors.

    Raises:
        RunError: a file of one of the runs that cannot be read.
    """
    return [
        *_of_ends(recorded, again),
        *_of_epochs(recorded.metrics(), again.metrics()),
        *_of_evaluation(recorded, again),
        *_of_vectors(recorded, again),
    ]


def _of_ends(recorded: Run, again: Run) -> Iterator[Figure]:
    first, second = recorded.status, again.status
    for name, one, other in (
        ("number of epochs", first.epoch, second.epoch),
        ("best epoch", first.best_epoch, second.best_epoch),
    ):
        yield _of_values(ENDS, name, {"": one}, {"": other})


def _of_epochs(first: pd.DataFrame, second: pd.DataFrame) -> Iterator[Figure]:
    for section, prefix in ((LOSSES, "losses."), (VALIDATION, "valid.")):
        for column in (name for name in map(str, first) if name.startswith(prefix)):
            one, other = (_by_epoch(frame, column) for frame in (first, second))
            yield _of_values(section, column.removeprefix(prefix), one, other)


def _by_epoch(frame: pd.DataFrame, column: str) -> dict[str, float | None]:
    if column not in frame:
        return {}
    pairs = zip(frame["epoch"], frame[column], strict=True)
    return {f"epoch {epoch}": None if value != value else float(value) for epoch, value in pairs}


def _of_evaluation(recorded: Run, again: Run) -> Iterator[Figure]:
    first, second = recorded.evaluation(), again.evaluation()
    if first is None:
        return
    none: Metrics = {}
    for section, one, other in (
        (BEST, first.valid, second.valid if second else none),
        (TEST, first.test, second.test if second else none),
    ):
        for name, value in one.items():
            found = {"": other[name]} if name in other else {}
            yield _of_values(section, name, {"": value}, found)


def _of_vectors(recorded: Run, again: Run) -> Iterator[Figure]:
    if recorded.layer_version is None:
        return
    kinds = zip(("user", "item"), recorded.embeddings(), again.embeddings(), strict=True)
    for kind, one, other in kinds:
        yield _of_rows(kind, np.asarray(one), np.asarray(other))


def _of_rows(kind: str, one: FloatArray, other: FloatArray) -> Figure:
    name = f"vectors of the {kind}s"
    if one.shape != other.shape:
        return Figure(VECTORS, name, one.size, one.size)
    differs = one.view(np.uint32) != other.view(np.uint32)
    if not differs.any():
        return Figure(VECTORS, name, one.size, 0)
    apart = np.abs(one.astype(np.float64) - other)
    row = int(np.unravel_index(int(np.argmax(apart)), apart.shape)[0])
    n_different = int(differs.sum())
    return Figure(VECTORS, name, one.size, n_different, float(apart.max()), f"{kind} {row}")


def _of_values(
    section: str,
    name: str,
    first: Mapping[str, float | None],
    second: Mapping[str, float | None],
) -> Figure:
    """Values by their place. A place that only one of the runs has is different, by no amount."""
    places = [place for place in first if place not in second or first[place] != second[place]]
    missing = [place for place in second if place not in first]
    apart = {
        place: abs(one - other)
        for place in places
        if (one := first[place]) is not None and (other := second.get(place)) is not None
    }
    where = max(apart, key=apart.__getitem__) if apart else ""
    n_values = sum(value is not None for value in first.values())
    return Figure(section, name, n_values, len(places) + len(missing), apart.get(where), where)
