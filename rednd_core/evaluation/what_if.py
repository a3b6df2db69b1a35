"""What would be recommended if the user's history, the modalities, the depth or popularity were different?

Every answer propagates the vectors x^0 of the trained model anew; nothing is trained. So it says what the
graph does with what was learned, and not what would have been learned.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from rednd_core.data.schema import IntArray, Interactions
from rednd_core.evaluation.linear import LinearModel
from rednd_core.evaluation.recommend import Recommendations, ranks_of, recommend

NO_RANK = 0
"""Stands where an item has no rank: it is in the history there."""


@dataclass(frozen=True)
class Change:
    """What is different.

    Attributes:
        add, remove: items of the user's history.
        without: modalities that are left out.
        weights: w_0 .. w_k of another readout, e.g. that of another depth; None keeps the model's.
        without_popularity: see :class:`rednd_core.evaluation.linear.LinearModel`.
    """

    add: tuple[int, ...] = ()
    remove: tuple[int, ...] = ()
    without: tuple[str, ...] = ()
    weights: tuple[float, ...] | None = None
    without_popularity: bool = False

    def of(self, model: LinearModel, user: int) -> LinearModel:
        """``model`` with this change.

        Raises:
            ConfigError, DataError: see :class:`rednd_core.evaluation.linear.LinearModel`.
        """
        changed = model.with_history(user, add=self.add, remove=self.remove)
        changed = changed.without(self.without)
        return replace(
            changed,
            weights=changed.weights if self.weights is None else self.weights,
            without_popularity=self.without_popularity,
        )


@dataclass(frozen=True, eq=False)
class WhatIf:
    """One user's list before and after a change.

    Attributes:
        moved: ``item``, ``rank_before``, ``rank_after`` of the items of both lists, of the held-out
            items and of those that were added or removed, by the rank after the change; a rank is
            :data:`NO_RANK` where the item is in the history.
    """

    before: Recommendations
    after: Recommendations
    moved: pd.DataFrame


def what_if(
    model: LinearModel, change: Change, user: int, k: int, held_out: Interactions | None = None
) -> WhatIf:
    """Compare the lists of ``user`` with and without ``change``.

    Args:
        k: length of the lists.
        held_out: pairs whose items are followed; none of them may be added to the history.

    Raises:
        ConfigError, DataError: a change that is not possible; see ``evaluation.recommend``.
    """
    other = change.of(model, user)
    before, after = (_listed(of, user, k, held_out) for of in (model, other))
    followed = [*change.add, *change.remove]
    followed += [item for of in (before, after) for item in of.listed["item"]]
    followed += before.missed["item"].tolist()
    items = np.unique(np.array(followed, dtype=np.int64))
    moved = pd.DataFrame(
        {
            "item": items,
            "rank_before": _ranks(model, user, items),
            "rank_after": _ranks(other, user, items),
        }
    )
    last = moved["rank_after"].where(moved["rank_after"] != NO_RANK, np.inf)
    order = np.lexsort((moved["item"], moved["rank_before"], last))
    return WhatIf(before, after, moved.iloc[order].reset_index(drop=True))


def _listed(
    model: LinearModel, user: int, k: int, held_out: Interactions | None
) -> Recommendations:
    users, items = model.embeddings
    return recommend(users, items, model.train_matrix, user, k, held_out)


def _ranks(model: LinearModel, user: int, items: IntArray) -> IntArray:
    start, stop = model.train_matrix.indptr[user : user + 2]
    ranked = ~np.isin(items, model.train_matrix.indices[start:stop])
    found = np.full(len(items), NO_RANK, dtype=np.int64)
    users, of_items = model.embeddings
    found[ranked] = ranks_of(users, of_items, model.train_matrix, user, items[ranked])
    return found
