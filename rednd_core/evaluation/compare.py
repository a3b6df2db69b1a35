"""Two evaluations of the same held-out pairs, user by user."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from rednd_core.errors import ConfigError, DataError
from rednd_core.evaluation.evaluate import Evaluation
from rednd_core.evaluation.metrics import Values

CONFIDENCE = 0.95
RESAMPLES_AT_ONCE = 256  # bounds the memory of the bootstrap


@dataclass(frozen=True, eq=False)
class Comparison:
    """``second`` minus ``first`` on one metric.

    Attributes:
        mean_first, mean_second: means over the users.
        difference: mean of the users' differences.
        low, high: paired percentile bootstrap 95 % interval of ``difference``; users are resampled.
        n_users: users in both.
        n_better, n_worse: users whose value rose, fell; the others did not move.
        per_user: ``user``, ``n_train``, ``n_held_out``, ``first``, ``second``, ``difference``; largest
            loss first, largest gain last.
    """

    metric: str
    mean_first: float
    mean_second: float
    difference: float
    low: float
    high: float
    n_users: int
    n_better: int
    n_worse: int
    per_user: pd.DataFrame

    @property
    def moved(self) -> pd.DataFrame:
        """Rows of ``per_user`` whose value changed."""
        return self.per_user[self.per_user["difference"] != 0]


def compare(
    first: Evaluation, second: Evaluation, metric: str, n_resamples: int = 2000, seed: int = 0
) -> Comparison:
    """Compare two models on the same held-out pairs.

    Raises:
        ConfigError: a metric that was not evaluated, fewer than 100 resamples.
        DataError: the two were evaluated on different pairs.
    """
    if n_resamples < 100:
        raise ConfigError(
            expected="at least 100 resamples", found=str(n_resamples), remedy="raise n_resamples"
        )
    _check_same_pairs(first, second)
    before, after = first.values(metric), second.values(metric)
    change = after - before
    low, high = bootstrap_interval(change, n_resamples, seed)
    table = pd.DataFrame(
        {
            "user": first.users,
            "n_train": first.n_train,
            "n_held_out": first.n_held_out,
            "first": before,
            "second": after,
            "difference": change,
        }
    )
    return Comparison(
        metric=metric,
        mean_first=float(before.mean()),
        mean_second=float(after.mean()),
        difference=float(change.mean()),
        low=low,
        high=high,
        n_users=len(change),
        n_better=int((change > 0).sum()),
        n_worse=int((change < 0).sum()),
        per_user=table.sort_values("difference", kind="stable", ignore_index=True),
    )


def bootstrap_interval(values: Values, n_resamples: int, seed: int) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean of ``values``.

    A resample is how often each distinct value is drawn, a multinomial count: the same distribution as
    drawing the users, and far fewer draws, because a ranking metric takes few distinct values.
    """
    distinct, counts = np.unique(values, return_counts=True)
    rng = np.random.default_rng(seed)
    means = []
    for start in range(0, n_resamples, RESAMPLES_AT_ONCE):
        size = min(RESAMPLES_AT_ONCE, n_resamples - start)
        drawn = rng.multinomial(len(values), counts / len(values), size=size)
        means.append(drawn @ distinct / len(values))
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(np.concatenate(means), [tail, 1 - tail])
    return float(low), float(high)


def _check_same_pairs(first: Evaluation, second: Evaluation) -> None:
    if _pairs(first) != _pairs(second):
        raise DataError(
            expected="two evaluations of the same held-out pairs",
            found=f"{len(first.held_out):,} pairs of {first.n_users:,} users and "
            f"{len(second.held_out):,} pairs of {second.n_users:,} users, not the same",
            remedy="compare runs of one data set and one split",
        )


def _pairs(evaluation: Evaluation) -> set[tuple[int, int]]:
    pairs = evaluation.held_out
    return set(zip(pairs.users.tolist(), pairs.items.tolist(), strict=True))
