"""Ranking metrics from the ranks of the held-out items.

For a user with n held-out items at ranks r_1 < r_2 < ... (1 = best, train items left out), and
h = number of ranks <= K:

========== ===================================================== ====================
metric     value                                                 denominator
========== ===================================================== ====================
recall     h / n                                                 n
precision  h / K                                                 K, also where fewer than K items
                                                                 are left to recommend
hit_rate   1 if h > 0 else 0                                     1
ndcg       sum_{r_j <= K} 1/log2(r_j + 1) / ideal                ideal: sum_{i <= min(K, n)} of the
                                                                 same gain, one at every rank i
map        sum_{r_j <= K} (j / r_j) / min(K, n)                  min(K, n)
========== ===================================================== ====================

Empty-user rule: a user without held-out items has no value and is not averaged. A cut-off above the
number of items is allowed: the places beyond hold no item and count as misses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rednd_core.data.schema import IntArray
from rednd_core.errors import ConfigError, unknown_name

Values = NDArray[np.float64]


@dataclass(frozen=True)
class RankedPairs:
    """Held-out pairs grouped by user, a user's pairs by ascending rank. Built by :func:`group`.

    Attributes:
        user: position of the pair's user, (n_pairs,), from 0, ascending.
        rank: (n_pairs,), 1 = best.
        n_held_out: held-out items of every user, (n_users,), none zero.
    """

    user: IntArray
    rank: IntArray
    n_held_out: IntArray

    def total(self, weights: Values) -> Values:
        """Sum over every user's pairs, (n_users,)."""
        return np.bincount(self.user, weights, len(self.n_held_out)).astype(np.float64, copy=False)

    def hits(self, k: int) -> Values:
        return self.total((self.rank <= k).astype(np.float64))


def group(user: IntArray, rank: IntArray) -> RankedPairs:
    """Group pairs; ``user`` holds positions from 0, each of them at least once."""
    order = np.lexsort((rank, user))
    return RankedPairs(user[order], rank[order], np.bincount(user))


def _recall(pairs: RankedPairs, k: int) -> Values:
    return pairs.hits(k) / pairs.n_held_out


def _precision(pairs: RankedPairs, k: int) -> Values:
    return pairs.hits(k) / k


def _hit_rate(pairs: RankedPairs, k: int) -> Values:
    return (pairs.hits(k) > 0).astype(np.float64)


def _ndcg(pairs: RankedPairs, k: int) -> Values:
    gain = np.where(pairs.rank <= k, 1 / np.log2(pairs.rank + 1), 0.0)
    longest = min(k, int(pairs.n_held_out.max()))
    ideal = np.cumsum(1 / np.log2(np.arange(1, longest + 1) + 1))
    best: Values = ideal[np.minimum(pairs.n_held_out, k) - 1]
    return pairs.total(gain) / best


def _map(pairs: RankedPairs, k: int) -> Values:
    first = np.cumsum(pairs.n_held_out) - pairs.n_held_out
    ordinal = np.arange(len(pairs.rank)) - first[pairs.user] + 1  # j: hits up to and with this one
    precision = np.where(pairs.rank <= k, ordinal / pairs.rank, 0.0)
    return pairs.total(precision) / np.minimum(pairs.n_held_out, k)


METRICS: dict[str, Callable[[RankedPairs, int], Values]] = {
    "recall": _recall,
    "ndcg": _ndcg,
    "precision": _precision,
    "map": _map,
    "hit_rate": _hit_rate,
}


def user_metrics(pairs: RankedPairs, ks: Sequence[int]) -> dict[str, Values]:
    """Every metric at every cut-off: name such as ``"recall@20"`` -> (n_users,) float64."""
    return {f"{name}@{k}": metric(pairs, k) for name, metric in METRICS.items() for k in ks}


def check_ks(ks: Sequence[int]) -> tuple[int, ...]:
    """Cut-offs, ascending, each once.

    Raises:
        ConfigError: none at all, or one below 1.
    """
    cut_offs = tuple(sorted({int(k) for k in ks}))
    if not cut_offs or cut_offs[0] < 1:
        raise ConfigError(
            expected="at least one cut-off k, each at least 1",
            found=str(tuple(ks)),
            remedy="pass for example ks=(10, 20)",
        )
    return cut_offs


def parse_metric(name: str) -> tuple[str, int]:
    """``"recall@20"`` -> ``("recall", 20)``.

    Raises:
        ConfigError: an unknown metric (the message lists the valid ones) or an unreadable cut-off.
    """
    metric, _, cut_off = name.partition("@")
    if metric not in METRICS:
        raise unknown_name("metric", metric, METRICS)
    if not (cut_off.isascii() and cut_off.isdigit() and int(cut_off) >= 1):
        raise ConfigError(
            expected="a metric with its cut-off, such as 'recall@20'",
            found=repr(name),
            remedy="write the metric, '@' and a whole number of at least 1",
        )
    return metric, int(cut_off)
