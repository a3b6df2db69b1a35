"""Summary of a study: mean and spread over the seeds, and differences seed by seed."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from pydantic import JsonValue

from rednd_core.sweeps.campaign_files import Outcome
from rednd_core.sweeps.study import StudyRecord

Values = dict[int, float]
"""seed -> value."""


@dataclass(frozen=True)
class Spread:
    """Values by seed.

    Attributes:
        sd: standard deviation of a sample (n - 1 in the denominator); None for one value.
    """

    values: Values

    @property
    def n(self) -> int:
        return len(self.values)

    @property
    def mean(self) -> float:
        return statistics.fmean(self.values.values())

    @property
    def sd(self) -> float | None:
        return statistics.stdev(self.values.values()) if self.n > 1 else None

    @property
    def half_width(self) -> float | None:
        """Of the 95 % confidence interval of the mean by Student's t; None for one value."""
        if self.sd is None:
            return None
        from scipy.stats import t

        return float(t.ppf(0.975, self.n - 1)) * self.sd / math.sqrt(self.n)


@dataclass(frozen=True)
class Row:
    """One data set x model x variation.

    Attributes:
        seeds: those that were trained to their end, in the plan's order.
        valid, test: metric -> values at the best epoch.
        best_epoch, seconds_per_epoch: None for a model that has nothing to train.
        against: label of the row that differences refer to; None for the first row of a data set.
        differences: (split, metric) -> this row minus that one, for the seeds that both have.
    """

    data: str
    model: str
    variation: dict[str, JsonValue]
    seeds: tuple[int, ...]
    valid: dict[str, Spread]
    test: dict[str, Spread]
    best_epoch: Spread | None
    seconds_per_epoch: Spread | None
    against: str | None = None
    differences: Mapping[tuple[str, str], Spread] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """``rednnd alignment_weight=0.001``."""
        return " ".join([self.model, *(f"{key}={value}" for key, value in self.variation.items())])


def summarise(record: StudyRecord) -> list[Row]:
    """A row for each data set x model x variation that has a finished run, in the plan's order.

    A variation is compared with its model's first variation; the first variation of a further model is
    compared with that of the first model. The first row of a data set is compared with none.
    """
    groups: dict[tuple[str, str, tuple[tuple[str, str], ...]], dict[int, Outcome]] = {}
    variations = {}
    for point in record.points:
        variation = point.variation
        key = (point.data, point.model, tuple((k, str(v)) for k, v in variation.items()))
        variations[key] = variation
        finished = groups.setdefault(key, {})
        if point.result is not None:
            finished[point.seed] = point.result
    rows: list[Row] = []
    for key, outcomes in groups.items():
        if outcomes:
            row = _row(key[0], key[1], variations[key], outcomes)
            rows.append(_compared(row, rows))
    data_order = list(dict.fromkeys(row.data for row in rows))
    return sorted(rows, key=lambda row: data_order.index(row.data))


def _row(
    data: str, model: str, variation: dict[str, JsonValue], outcomes: dict[int, Outcome]
) -> Row:
    return Row(
        data=data,
        model=model,
        variation=variation,
        seeds=tuple(outcomes),
        valid=_spreads({seed: outcome.valid for seed, outcome in outcomes.items()}),
        test=_spreads({seed: outcome.test for seed, outcome in outcomes.items()}),
        best_epoch=spread((seed, outcome.best_epoch) for seed, outcome in outcomes.items()),
        seconds_per_epoch=spread(
            (seed, outcome.seconds_per_epoch) for seed, outcome in outcomes.items()
        ),
    )


def _spreads(metrics: Mapping[int, Mapping[str, float | None]]) -> dict[str, Spread]:
    names = dict.fromkeys(name for of_seed in metrics.values() for name in of_seed)
    found = {
        name: spread((seed, of_seed.get(name)) for seed, of_seed in metrics.items())
        for name in names
    }
    return {name: spread for name, spread in found.items() if spread is not None}


def spread(values: Iterable[tuple[int, float | None]]) -> Spread | None:
    """Of (seed, value); seeds without a value are left out, and None is what remains of no value."""
    known = {seed: float(value) for seed, value in values if value is not None}
    return Spread(known) if known else None


def _compared(row: Row, before: list[Row]) -> Row:
    """``row`` with its differences to the row that it is compared with, among those before it."""
    same_data = [other for other in before if other.data == row.data]
    same_model = [other for other in same_data if other.model == row.model]
    if not same_data:
        return row
    base = (same_model or same_data)[0]
    differences: dict[tuple[str, str], Spread] = {}
    for split in ("valid", "test"):
        mine: dict[str, Spread] = getattr(row, split)
        theirs: dict[str, Spread] = getattr(base, split)
        for metric in mine.keys() & theirs.keys():
            pairs = mine[metric].values, theirs[metric].values
            both = {
                seed: value - pairs[1][seed] for seed, value in pairs[0].items() if seed in pairs[1]
            }
            if both:
                differences[split, metric] = Spread(both)
    return replace(row, against=base.label, differences=differences)
