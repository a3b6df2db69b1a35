"""Two models on the same held-out pairs, user by user, from one or several trainings of each.

Intervals are percentile bootstrap intervals (Efron 1979). Users are resampled, the same ones for every
training. Where a model was trained several times with different seeds, its trainings are resampled as well,
independently of the other model's: then the interval also holds what another seed would change.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rednd_core.errors import ConfigError, DataError
from rednd_core.evaluation.evaluate import Evaluation
from rednd_core.evaluation.metrics import Values

CONFIDENCE = 0.95
RESAMPLES_AT_ONCE = 256  # bounds the memory of the bootstrap

Trainings = Evaluation | Sequence[Evaluation]
"""One evaluation, or those of several trainings of one configuration that differ in their seed."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """``second`` minus ``first`` on one metric.

    Attributes:
        mean_first, mean_second: means over the users, and over the trainings of each.
        difference: mean of the users' differences.
        low, high: paired percentile bootstrap 95 % interval of ``difference``, see :attr:`sentence`.
        n_first, n_second: trainings of each.
        n_users: users in both.
        n_better, n_worse: users whose value rose, fell; the others did not move.
        per_user: ``user``, ``n_train``, ``n_held_out``, ``first``, ``second`` (means over trainings),
            ``difference``; largest loss first, largest gain last.
    """

    metric: str
    mean_first: float
    mean_second: float
    difference: float
    low: float
    high: float
    n_first: int
    n_second: int
    n_users: int
    n_better: int
    n_worse: int
    per_user: pd.DataFrame

    @property
    def moved(self) -> pd.DataFrame:
        """Rows of ``per_user`` whose value changed."""
        return self.per_user[self.per_user["difference"] != 0]

    @property
    def sentence(self) -> str:
        """What the interval covers, as a sentence."""
        return what_is_resampled((self.n_first, self.n_second))


def what_is_resampled(n_trainings: Iterable[int]) -> str:
    """What an interval covers, as a sentence, from the number of trainings of every model in it."""
    numbers = list(n_trainings)
    if max(numbers) == 1:
        subject = "the model was" if len(numbers) == 1 else "each model was"
        return (
            f"The interval resamples the users only: {subject} trained once, so it does not say how "
            "much another seed would change."
        )
    told = " and ".join(f"{n} {'training' if n == 1 else 'trainings'}" for n in numbers)
    return f"The interval resamples users and seeds ({told})."


def compare(
    first: Trainings, second: Trainings, metric: str, n_resamples: int = 2000, seed: int = 0
) -> Comparison:
    """Compare two models on the same held-out pairs.

    Raises:
        ConfigError: a metric that was not evaluated, fewer than 100 resamples.
        DataError: no training, or evaluations of different pairs.
    """
    if n_resamples < 100:
        raise ConfigError(
            expected="at least 100 resamples", found=str(n_resamples), remedy="raise n_resamples"
        )
    runs = as_trainings(first), as_trainings(second)
    check_same_pairs([*runs[0], *runs[1]])
    values = [values_of(group, metric) for group in runs]  # (S, n_users) each
    before, after = (of.mean(axis=0) for of in values)
    means = resampled_means(values, n_resamples, seed)
    low, high = interval(means[1] - means[0])
    change = after - before
    one = runs[0][0]
    table = pd.DataFrame(
        {
            "user": one.users,
            "n_train": one.n_train,
            "n_held_out": one.n_held_out,
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
        n_first=len(runs[0]),
        n_second=len(runs[1]),
        n_users=len(change),
        n_better=int((change > 0).sum()),
        n_worse=int((change < 0).sum()),
        per_user=table.sort_values("difference", kind="stable", ignore_index=True),
    )


def mean_interval(
    trainings: Trainings, metric: str, n_resamples: int, seed: int = 0
) -> tuple[float, float]:
    """95 % interval of the mean of a metric over users, and over the trainings of one model."""
    runs = as_trainings(trainings)
    check_same_pairs(runs)
    return interval(resampled_means([values_of(runs, metric)], n_resamples, seed)[0])


def resampled_means(groups: Sequence[Values], n_resamples: int, seed: int) -> NDArray[np.float64]:
    """Means of each group over the same drawn users and over drawn trainings, (G, n_resamples).

    A resample of the users is how often each distinct user is drawn, a multinomial count: the same
    distribution as drawing them one by one, and far fewer draws, because users with equal values in every
    training are interchangeable, and a ranking metric takes few distinct values.

    Args:
        groups: (S_g, n_users) a model: the metric of every user in every training.
    """
    distinct, counts = np.unique(np.concatenate(groups), axis=1, return_counts=True)
    n_users = int(counts.sum())
    rng = np.random.default_rng(seed)
    means = []
    for start in range(0, n_resamples, RESAMPLES_AT_ONCE):
        size = min(RESAMPLES_AT_ONCE, n_resamples - start)
        users = rng.multinomial(n_users, counts / n_users, size=size)  # (size, distinct)
        per_training = distinct @ users.T / n_users  # (sum of S_g, size)
        first, block = 0, []
        for group in groups:
            n = len(group)
            drawn = rng.multinomial(n, np.full(n, 1 / n), size=size).T / n if n > 1 else 1.0
            block.append((drawn * per_training[first : first + n]).sum(axis=0))
            first += n
        means.append(np.stack(block))
    return np.concatenate(means, axis=1)


def interval(means: NDArray[np.float64]) -> tuple[float, float]:
    """The central 95 % of resampled means, (n_resamples,)."""
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)


def as_trainings(of: Trainings) -> list[Evaluation]:
    """One or several evaluations as a list.

    Raises:
        DataError: none.
    """
    found = [of] if isinstance(of, Evaluation) else list(of)
    if not found:
        raise DataError(expected="at least one training", found="none", remedy="pass an evaluation")
    return found


def values_of(trainings: Sequence[Evaluation], metric: str) -> Values:
    """A metric of every user in every training, (S, n_users)."""
    return np.stack([evaluation.values(metric) for evaluation in trainings])


def check_same_pairs(evaluations: Sequence[Evaluation]) -> None:
    """Refuse evaluations of different held-out pairs.

    Raises:
        DataError: two that differ.
    """
    first, pairs = evaluations[0], _pairs(evaluations[0])
    for other in evaluations[1:]:
        if _pairs(other) != pairs:
            raise DataError(
                expected="evaluations of the same held-out pairs",
                found=f"{len(first.held_out):,} pairs of {first.n_users:,} users and "
                f"{len(other.held_out):,} pairs of {other.n_users:,} users, not the same",
                remedy="compare runs of one data set and one split",
            )


def _pairs(evaluation: Evaluation) -> set[tuple[int, int]]:
    pairs = evaluation.held_out
    return set(zip(pairs.users.tolist(), pairs.items.tolist(), strict=True))
