"""What one user is recommended, what that user has, and where the held-out items ended up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from rednd_core.data.schema import IntArray, Interactions
from rednd_core.evaluation.ranking import best_items, rank_pairs
from rednd_core.evaluation.scoring import Embedding, Scorer, TrainMatrix, check_ids, scorer

NO_HISTORY = (
    "The model never saw this user choose anything: what it lists comes from parameters that no "
    "interaction of this user has moved."
)


@dataclass(frozen=True, eq=False)
class Recommendations:
    """The list of one user.

    Attributes:
        user: dense id.
        listed: one row a recommended item, best first: ``rank``, ``item``, ``score``, ``hit``
            (whether it is held out). Shorter than k where the user has fewer unseen items.
        missed: one row a held-out item that is not listed, best first: ``rank``, ``item``, ``score``.
        history: the user's train items, ascending.
        n_candidates: items that were ranked: all but the history.
    """

    user: int
    listed: pd.DataFrame
    missed: pd.DataFrame
    history: IntArray
    n_candidates: int

    @property
    def notice(self) -> str | None:
        """What a reader of the list has to know: it says nothing of a user without history."""
        return None if len(self.history) else NO_HISTORY


def recommend(
    user_emb: Embedding,
    item_emb: Embedding,
    train_matrix: TrainMatrix,
    user: int,
    k: int,
    held_out: Interactions | None = None,
) -> Recommendations:
    """The ``k`` best unseen items of ``user`` and the exact rank of every held-out item it missed.

    The ranks are those that :func:`rednd_core.evaluation.evaluate.evaluate` computes, ties included.
    A user without held-out items has no hits and nothing missed.

    Raises:
        ConfigError: ``k`` below 1. DataError: ``user`` out of range; see ``evaluation.ranking``.
    """
    model = _alone(user_emb, item_emb, train_matrix, user)
    items, scores = best_items(model, 0, k)
    filled = items[0] >= 0
    wanted = np.empty(0, np.int64) if held_out is None else held_out.items[held_out.users == user]
    ranks, wanted_scores = rank_pairs(model, Interactions(np.zeros(len(wanted), np.int64), wanted))
    listed = pd.DataFrame({"item": items[0, filled], "score": scores[0, filled]})
    listed.insert(0, "rank", np.arange(1, len(listed) + 1))
    listed["hit"] = np.isin(listed["item"].to_numpy(), wanted)
    missed = pd.DataFrame({"rank": ranks, "item": wanted, "score": wanted_scores})
    missed = missed[missed["rank"] > k].sort_values("rank", ignore_index=True)
    history = model.history(0)
    return Recommendations(
        user=int(user),
        listed=listed,
        missed=missed,
        history=history,
        n_candidates=model.n_items - len(history),
    )


def ranks_of(
    user_emb: Embedding, item_emb: Embedding, train_matrix: TrainMatrix, user: int, items: IntArray
) -> IntArray:
    """Exact rank among the user's unseen items of ``items`` (n,), none of them a train item; (n,).

    Raises:
        DataError: as :func:`recommend`, or a train item among ``items``.
    """
    model = _alone(user_emb, item_emb, train_matrix, user)
    return rank_pairs(model, Interactions(np.zeros(len(items), np.int64), items))[0]


def _alone(
    user_emb: Embedding, item_emb: Embedding, train_matrix: TrainMatrix, user: int
) -> Scorer:
    """A scorer of one user, who is number 0 there: nothing of the others is read."""
    (row,) = check_ids(user, len(user_emb), "user")
    return scorer(user_emb[row : row + 1], item_emb, train_matrix[[row]])
