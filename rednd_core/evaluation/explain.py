"""Why does a model put this item before this user?

The score is an inner product, so its parts over blocks of the embedding add up exactly. The history is
different: a graph model mixes it in non-separably, so ``history`` reports similarity (how close each
train item lies to the recommended one), which indicates but does not add up to the score.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from rednd_core.data.schema import IntArray
from rednd_core.errors import DataError
from rednd_core.evaluation.scoring import Embedding, TrainMatrix, check_ids, scorer


@dataclass(frozen=True, eq=False)
class Explanation:
    """One (user, item) pair explained.

    Attributes:
        score: inner product of the two embeddings.
        parts: block name -> its part of the score; they add up to ``score``.
        history: one row a train item of the user, most similar first: ``item``, ``inner_product`` and
            ``cosine`` with the explained item (cosine 0 where a vector is zero), ``shared_users``
            (train users of both items) and ``degree`` (train users of the history item).
        neighbours: one row a user who has the explained item and shares train items with this user,
            most shared first: ``user``, ``shared_items``, ``jaccard`` (shared / union of histories).
        degree: train interactions of the explained item.
        popularity: its popularity percentile in 0..100: the items with fewer train interactions plus
            half of those with as many, itself included, of all items.
    """

    user: int
    item: int
    score: float
    parts: dict[str, float]
    history: pd.DataFrame
    neighbours: pd.DataFrame
    degree: int
    popularity: float


def explain(
    user_emb: Embedding,
    item_emb: Embedding,
    train_matrix: TrainMatrix,
    user: int,
    item: int,
    blocks: Mapping[str, int] | None = None,
) -> Explanation:
    """Explain the score of ``item`` for ``user``.

    Args:
        user_emb: (n_users, d). item_emb: (n_items, d). train_matrix: (n_users, n_items) binary.
        blocks: name -> width, in order, where an embedding is a concatenation such as one block per
            modality; the widths add up to d. None: one block named ``"score"``.

    Raises:
        DataError: ids out of range, shapes that do not fit, block widths that do not add up to d.
    """
    model = scorer(user_emb, item_emb, train_matrix)
    users, items = model.user_emb, model.item_emb[: model.n_items]
    check_ids(user, model.n_users, "user")
    check_ids(item, model.n_items, "item")
    history = model.history(user)
    widths = {"score": users.shape[1]} if blocks is None else dict(blocks)
    if sum(widths.values()) != users.shape[1] or min(widths.values()) < 1:
        raise DataError(
            expected=f"block widths of at least 1 that add up to {users.shape[1]}",
            found=f"{widths}",
            remedy="pass the width of every block of the concatenation",
        )
    products = (users[user].double() * items[item].double()).split(list(widths.values()))
    parts = {name: float(part.sum()) for name, part in zip(widths, products, strict=True)}

    owners = _owners(train_matrix, item)
    degrees = np.bincount(train_matrix.indices, minlength=len(items))
    below, level = (degrees < degrees[item]).mean(), (degrees == degrees[item]).mean()
    return Explanation(
        user=int(user),
        item=int(item),
        score=sum(parts.values()),
        parts=parts,
        history=_history(items, train_matrix[owners], history, item, degrees),
        neighbours=_neighbours(train_matrix, owners, history, user),
        degree=int(degrees[item]),
        popularity=float(100 * (below + level / 2)),
    )


def _owners(train_matrix: TrainMatrix, item: int) -> IntArray:
    """Train users of ``item``, ascending."""
    entries = np.flatnonzero(train_matrix.indices == item)
    return np.searchsorted(train_matrix.indptr, entries, side="right") - 1


def _history(
    items: torch.Tensor, owners: TrainMatrix, history: IntArray, item: int, degrees: IntArray
) -> pd.DataFrame:
    """Similarity of every train item to the explained one; ``owners`` are that item's train rows."""
    rows, target = items[history].double(), items[item].double()
    shared = np.bincount(owners.indices, minlength=len(items))
    frame = pd.DataFrame(
        {
            "item": history,
            "inner_product": (rows @ target).cpu().numpy(),
            "cosine": torch.cosine_similarity(rows, target.unsqueeze(0)).cpu().numpy(),
            "shared_users": shared[history],
            "degree": degrees[history],
        }
    )
    return frame.sort_values("cosine", ascending=False, kind="stable", ignore_index=True)


def _neighbours(
    train_matrix: TrainMatrix, owners: IntArray, history: IntArray, user: int
) -> pd.DataFrame:
    """Owners of the explained item who share train items with ``user``."""
    rows = train_matrix[owners]
    sizes = np.diff(rows.indptr)
    row = np.repeat(np.arange(len(owners)), sizes)
    shared = np.bincount(row, weights=np.isin(rows.indices, history), minlength=len(owners))
    chosen = (shared > 0) & (owners != user)
    union = sizes[chosen] + len(history) - shared[chosen]
    frame = pd.DataFrame(
        {
            "user": owners[chosen],
            "shared_items": shared[chosen].astype(np.int64),
            "jaccard": shared[chosen] / union,
        }
    )
    return frame.sort_values(
        ["shared_items", "jaccard"], ascending=False, kind="stable", ignore_index=True
    )
