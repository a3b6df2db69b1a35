"""Groups of users for whom a metric is low, found over all columns and pairs of columns.

Every value of every column is a slice of users, and so is every pair of values of two columns. For a slice of
n of all N users, the hypothesis is that its users were drawn at random. Then its mean has the mean of all
users and the variance s^2 / n * (N - n) / (N - 1), drawn without replacement, s^2 the variance over all
users; p is the chance of a mean as low or lower, by the normal approximation. Metrics of a ranking are mostly
0 with few high values, and their means reach less far down than a normal distribution does: so p is too large
rather than too small. Having looked at many slices is corrected for by Holm's method (Scandinavian Journal of
Statistics 1979), which holds whatever slices share: with a level of 5 %, where no slice is weak, at least one
is reported in at most one of twenty searches.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from rednd_core.errors import ConfigError, DataError

LEVEL = 0.05
LEAST_USERS = 30
"""The smallest slice: of fewer users, a mean is not near to normal."""
MOST_VALUES = 50
"""A text column with more distinct values names users one by one, and is left out."""
N_BANDS = 4
"""Bands of equal size into which a column of numbers is cut."""

COLUMNS = ["slice", "n_users", "mean", "rest", "p", "p_corrected"]


@dataclass(frozen=True, eq=False)
class WeakSlices:
    """What a search found.

    Attributes:
        table: the weak slices, surest first: ``slice`` (a tuple of (column, value) of one or two columns),
            ``n_users``, ``mean`` inside, ``rest`` (mean of all other users), ``p``, ``p_corrected``.
        n_looked_at: slices that were tested.
        left_out: columns that were not searched.
    """

    table: pd.DataFrame
    n_looked_at: int
    left_out: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """What was looked at and how that was corrected for."""
        return (
            f"{self.n_looked_at:,} slices of at least {LEAST_USERS} users were looked at. "
            f"{len(self.table):,} are weaker than the other users at a level of {LEVEL:.0%}, corrected for "
            "all looks by Holm's method."
        )


def banded(column: pd.Series) -> pd.Series | None:
    """A column as at most :data:`MOST_VALUES` texts; None where it names users one by one.

    Numbers with more than :data:`N_BANDS` distinct values become bands of about equal size, named by the
    values inside, e.g. ``"3-7"``.
    """
    numbers = pd.to_numeric(column, errors="coerce")
    if numbers.notna().all() and numbers.nunique() > N_BANDS:
        values = numbers.to_numpy(dtype=np.float64)
        cuts = np.unique(
            np.quantile(values, np.arange(1, N_BANDS) / N_BANDS, method="inverted_cdf")
        )
        part = np.searchsorted(cuts, values, side="left")
        names = {}
        for band in np.unique(part):
            low, high = values[part == band].min(), values[part == band].max()
            names[band] = f"{low:g}" if low == high else f"{low:g}-{high:g}"
        return pd.Series([names[band] for band in part], index=column.index, dtype=object)
    texts = column.astype(str)
    return texts if texts.nunique() <= MOST_VALUES else None


def weak_slices(values: NDArray[np.floating], columns: Mapping[str, pd.Series]) -> WeakSlices:
    """Slices whose mean is lower than chance explains.

    A pair of columns is reported only if its mean is lower than that of both of its single slices.

    Args:
        values: the metric of every user, (n_users,).
        columns: name -> a value for every user, (n_users,): texts, or numbers, which are cut into bands. An
            empty text is no value.

    Raises:
        ConfigError: fewer than two users. DataError: a column of another length.
    """
    metric = np.asarray(values, dtype=np.float64)
    if len(metric) < 2:
        raise ConfigError(
            expected="the metric of at least two users", found=str(len(metric)), remedy="pass more"
        )
    codes, left_out = {}, []
    for name, column in columns.items():
        if len(column) != len(metric):
            raise DataError(
                expected=f"a value of column {name!r} for each of {len(metric)} users",
                found=f"{len(column)} values",
                remedy="pass the rows of the users whose metric is given",
            )
        texts = banded(column)
        if texts is None or texts.nunique() < 2:
            left_out.append(name)
        else:
            code, names = pd.factorize(texts.replace("", None))
            codes[name] = code, [str(each) for each in names]
    tested = pd.DataFrame(_slices(metric, codes), columns=["slice", "n_users", "mean"])
    table = _corrected(tested, metric)
    return WeakSlices(table, len(tested), tuple(left_out))


def _slices(
    metric: NDArray[np.float64], codes: Mapping[str, tuple[NDArray[np.int64], list[str]]]
) -> Iterator[tuple[tuple[tuple[str, str], ...], int, float]]:
    """(slice, number of users, mean) of every slice that is large enough, and not everybody."""

    def means(code: NDArray[np.int64], n: int) -> Iterator[tuple[int, int, float]]:
        known = code >= 0
        counts = np.bincount(code[known], minlength=n)
        sums = np.bincount(code[known], weights=metric[known], minlength=n)
        for each in np.flatnonzero((counts >= LEAST_USERS) & (counts < len(metric))):
            yield int(each), int(counts[each]), float(sums[each] / counts[each])

    for name, (code, names) in codes.items():
        for each, n_users, mean in means(code, len(names)):
            yield ((name, names[each]),), n_users, mean
    for (first, (code_a, names_a)), (second, (code_b, names_b)) in combinations(codes.items(), 2):
        both = np.where((code_a >= 0) & (code_b >= 0), code_a * len(names_b) + code_b, -1)
        for each, n_users, mean in means(both, len(names_a) * len(names_b)):
            a, b = divmod(each, len(names_b))
            yield ((first, names_a[a]), (second, names_b[b])), n_users, mean


def _corrected(tested: pd.DataFrame, metric: NDArray[np.float64]) -> pd.DataFrame:
    """The slices that stay weak when all looks are counted."""
    n_all, total, variance = len(metric), float(metric.sum()), float(metric.var())
    n, mean = tested["n_users"].to_numpy(np.float64), tested["mean"].to_numpy(np.float64)
    spread = np.sqrt(variance / n * (n_all - n) / (n_all - 1))
    below = np.divide(mean - total / n_all, spread, out=np.zeros(len(n)), where=spread > 0)
    p = norm.cdf(below)
    order = np.argsort(p, kind="stable")
    steps = np.minimum(1, p[order] * (len(p) - np.arange(len(p))))
    corrected = np.empty(len(p))
    corrected[order] = np.maximum.accumulate(steps)
    found = tested.assign(
        rest=(total - n * mean) / np.maximum(n_all - n, 1), p=p, p_corrected=corrected
    )
    single = {of[0]: m for of, m in zip(found["slice"], found["mean"], strict=True) if len(of) == 1}
    weak = [
        is_weak and (len(of) == 1 or all(value < single.get(part, np.inf) for part in of))
        for is_weak, of, value in zip(
            corrected <= LEVEL, found["slice"], found["mean"], strict=True
        )
    ]
    table = found.loc[np.array(weak, dtype=bool), COLUMNS]
    return table.sort_values("p", kind="stable", ignore_index=True)
