"""The lists of all users as one table."""

from __future__ import annotations

import numpy as np
import pandas as pd

from rednd_core.data.schema import Interactions
from rednd_core.evaluation.ranking import top_k
from rednd_core.evaluation.scoring import Embedding, TrainMatrix


def all_lists(
    user_emb: Embedding,
    item_emb: Embedding,
    train_matrix: TrainMatrix,
    k: int,
    held_out: Interactions,
) -> pd.DataFrame:
    """The ``k`` best unseen items of every user.

    Returns:
        One row a recommended item, users ascending, best item first: ``user``, ``rank`` from 1, ``item``,
        ``score``, ``hit`` (whether the pair is in ``held_out``). A user with fewer than ``k`` unseen items
        has fewer rows.

    Raises:
        ConfigError: ``k`` below 1. DataError: see :func:`rednd_core.evaluation.scoring.scorer`.
    """
    n_users, n_items = train_matrix.shape
    items, scores = top_k(user_emb, item_emb, train_matrix, np.arange(n_users), k=min(k, n_items))
    users, places = np.nonzero(items >= 0)
    listed = items[users, places]
    hits = np.isin(users * n_items + listed, held_out.users * n_items + held_out.items)
    return pd.DataFrame(
        {"user": users, "rank": places + 1, "item": listed, "score": scores[users, places],
         "hit": hits}
    )  # fmt: skip
