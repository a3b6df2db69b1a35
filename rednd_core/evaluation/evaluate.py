"""Evaluate embeddings on held-out pairs: means, and every user's own values on demand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rednd_core.data.schema import IntArray, Interactions
from rednd_core.errors import DataError, unknown_name
from rednd_core.evaluation.metrics import (
    Values,
    check_ks,
    group,
    parse_metric,
    user_metrics,
)
from rednd_core.evaluation.ranking import held_out_ranks
from rednd_core.evaluation.scoring import Embedding, TrainMatrix


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Ranks of held-out pairs and the metrics that follow from them (see ``evaluation.metrics``).

    Attributes:
        held_out: the evaluated pairs.
        ranks: rank of every pair among its user's unseen items, (n_pairs,), 1 = best.
        ks: cut-offs, ascending.
        users: users with held-out pairs, (n_users,), ascending; only they are averaged.
        n_train: their train interactions, (n_users,).
    """

    held_out: Interactions
    ranks: IntArray
    ks: tuple[int, ...]
    n_train: IntArray
    users: IntArray = field(init=False)
    _position: IntArray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if len(self.held_out) == 0:
            raise DataError(
                expected="at least one held-out pair to evaluate on",
                found="none",
                remedy="split the data with a larger validation or test share",
            )
        users, position = np.unique(self.held_out.users, return_inverse=True)
        object.__setattr__(self, "users", users)
        object.__setattr__(self, "_position", position)

    @property
    def n_users(self) -> int:
        return len(self.users)

    @cached_property
    def n_held_out(self) -> IntArray:
        """Held-out items of every user, (n_users,)."""
        return np.bincount(self._position)

    @cached_property
    def _values(self) -> dict[str, Values]:
        return user_metrics(group(self._position, self.ranks), self.ks)

    @cached_property
    def metrics(self) -> dict[str, float]:
        """Mean over the users, e.g. ``{"recall@20": 0.0754, ...}``."""
        return {name: float(values.mean()) for name, values in self._values.items()}

    def values(self, metric: str) -> Values:
        """One metric of every user, (n_users,) in the order of ``users``.

        Raises:
            ConfigError: an unknown metric, or a cut-off that was not evaluated.
        """
        parse_metric(metric)
        if metric not in self._values:
            raise unknown_name("evaluated metric", metric, self._values)
        return self._values[metric]

    @cached_property
    def per_user(self) -> pd.DataFrame:
        """One row a user: ``user``, ``n_held_out``, ``n_train`` and a column for every metric."""
        return pd.DataFrame(
            {
                "user": self.users,
                "n_held_out": self.n_held_out,
                "n_train": self.n_train,
                **self._values,
            }
        )

    def for_users(self, chosen: NDArray[np.bool_]) -> Evaluation:
        """The same evaluation on some of the users; ``chosen`` is (n_users,) bool."""
        return self.for_pairs(chosen[self._position])

    def for_pairs(self, chosen: NDArray[np.bool_]) -> Evaluation:
        """The same evaluation on some of the held-out pairs; ``chosen`` is (n_pairs,) bool.

        The ranks stay those among all items; users without a chosen pair drop out.
        """
        pairs = Interactions(self.held_out.users[chosen], self.held_out.items[chosen])
        left = np.isin(self.users, pairs.users)
        return Evaluation(pairs, self.ranks[chosen], self.ks, self.n_train[left])


def evaluate(
    user_emb: Embedding,
    item_emb: Embedding,
    train_matrix: TrainMatrix,
    held_out: Interactions,
    ks: Sequence[int],
) -> Evaluation:
    """Full ranking of the held-out pairs over all items, the user's train items masked.

    Args:
        user_emb: (n_users, d). item_emb: (n_items, d); a score is their inner product in float32, on
            the device of the tensors. NumPy arrays, and tensors of any float type, are converted.
        train_matrix: (n_users, n_items); its stored entries are masked, nothing else is.
        held_out: distinct pairs, none of them in ``train_matrix``.
        ks: cut-offs; one above the number of items is allowed, see ``evaluation.metrics``.

    Raises:
        ConfigError: no cut-off or one below 1.
        DataError: no held-out pair, a pair that is in train, shapes or ids that do not fit, NaN.
    """
    cut_offs = check_ks(ks)
    ranks = held_out_ranks(user_emb, item_emb, train_matrix, held_out)
    n_train = np.diff(train_matrix.indptr)[np.unique(held_out.users)].astype(np.int64)
    return Evaluation(held_out, ranks, cut_offs, n_train)
