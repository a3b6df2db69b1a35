"""Full ranking: every user against all items, the user's train items left out.

Validation items are not masked when the test split is ranked. Tie rule, everywhere: of two items with
the same score the one with the lower index comes first, so that a collapsed model or a popularity
ranking has one definite result.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from rednd_core.data.schema import FloatArray, IntArray, Interactions
from rednd_core.errors import ConfigError, DataError
from rednd_core.evaluation.scoring import (
    MASKED,
    Embedding,
    Scorer,
    TrainMatrix,
    check_ids,
    scorer,
)


def top_k(
    user_emb: Embedding,
    item_emb: Embedding,
    train_matrix: TrainMatrix,
    users: ArrayLike,
    k: int,
) -> tuple[IntArray, FloatArray]:
    """The ``k`` best unseen items of every user in ``users``, best first.

    Returns:
        items (n, k) int64 and scores (n, k) float32. A user with fewer than ``k`` unseen items (also
        when ``k`` exceeds the number of items) has the rest filled with item -1, score -inf.

    Raises:
        ConfigError: ``k`` below 1. DataError: see :func:`rednd_core.evaluation.scoring.scorer`.
    """
    return best_items(scorer(user_emb, item_emb, train_matrix), users, k)


def best_items(model: Scorer, users: ArrayLike, k: int) -> tuple[IntArray, FloatArray]:
    """:func:`top_k` of embeddings that are already checked."""
    if k < 1:
        raise ConfigError(expected="k of at least 1", found=str(k), remedy="raise k")
    rows = check_ids(users, model.n_users, "user")
    items = np.full((len(rows), k), -1, dtype=np.int64)
    scores = np.full((len(rows), k), -np.inf, dtype=np.float32)
    filled = min(k, model.n_items)
    for block, all_scores in model.blocks(rows):
        chosen = _best(all_scores, filled)
        values = all_scores.gather(1, chosen)
        chosen.masked_fill_(values == MASKED, -1)
        items[block, :filled], scores[block, :filled] = chosen.cpu().numpy(), values.cpu().numpy()
    return items, scores


def _best(scores: Tensor, k: int) -> Tensor:
    """Columns of the ``k`` largest of every row, (b, k), under the tie rule."""
    values, columns = scores.topk(min(k + 1, scores.shape[1]))
    if values.shape[1] > k:
        # topk picks any of the items that tie for the last place; choose again where that matters.
        torn = (values[:, k - 1] == values[:, k]).nonzero().squeeze(1)
        columns = columns[:, :k]
        if len(torn):
            last, candidates = values[torn, k - 1].unsqueeze(1), scores[torn]
            above, level = candidates > last, candidates == last
            room = k - above.sum(1, keepdim=True)
            chosen = above | (level & (level.cumsum(1) <= room))
            columns[torn] = chosen.nonzero()[:, 1].view(-1, k)
    columns = columns.sort(dim=1).values
    order = scores.gather(1, columns).sort(dim=1, descending=True, stable=True).indices
    return columns.gather(1, order)


def held_out_ranks(
    user_emb: Embedding,
    item_emb: Embedding,
    train_matrix: TrainMatrix,
    held_out: Interactions,
) -> IntArray:
    """Exact rank of every held-out item among its user's unseen items, 1 = best; (n,) int64.

    A rank is one more than the number of items ahead, so no list is sorted: the cost is one product
    of users and items and one comparison per held-out pair and item, while the scores are in the cache.

    Raises:
        DataError: ids out of range, or a held-out pair that is a train pair too (it has no rank).
    """
    return rank_pairs(scorer(user_emb, item_emb, train_matrix), held_out)[0]


def rank_pairs(model: Scorer, held_out: Interactions) -> tuple[IntArray, FloatArray]:
    """:func:`held_out_ranks` of embeddings that are already checked, and the pairs' scores (n,)."""
    users = check_ids(held_out.users, model.n_users, "user")
    items = check_ids(held_out.items, model.n_items, "item")
    order = np.argsort(users, kind="stable")  # pairs user by user
    distinct, counts = np.unique(users, return_counts=True)
    starts = np.concatenate([[0], np.cumsum(counts)])

    device = model.item_emb.device
    ranks_of_pairs = _ranks_one_by_one if device.type == "cpu" else _ranks_at_once
    columns = torch.from_numpy(items[order]).to(device)
    ranks = torch.empty_like(columns)
    pair_scores = torch.empty(len(items), dtype=torch.float32, device=device)
    for block, scores in model.blocks(distinct):
        here = slice(int(starts[block.start]), int(starts[block.stop]))
        rows = torch.from_numpy(np.repeat(np.arange(len(scores)), counts[block])).to(device)
        ranks[here], pair_scores[here] = ranks_of_pairs(scores, rows, columns[here])
    n_masked = int((pair_scores == MASKED).sum())
    if n_masked:
        raise DataError(
            expected="held-out pairs that are not in the train matrix",
            found=f"{n_masked:,} pairs in both",
            remedy="split the interactions again",
        )
    back = np.argsort(order)
    return ranks.cpu().numpy()[back], pair_scores.cpu().numpy()[back]


def _ranks_one_by_one(scores: Tensor, rows: Tensor, columns: Tensor) -> tuple[Tensor, Tensor]:
    """Ranks of ``scores[row, column]`` in their rows, and these scores, (n,) each, on the CPU.

    A row stays in the cache for both of its passes, and NumPy counts booleans as fast as it compares:
    half of the time of comparing all users' j-th pairs at once.
    """
    table, own = scores.numpy(), scores[rows, columns]
    ranks = np.empty(len(rows), dtype=np.int64)
    pairs = zip(rows.tolist(), columns.tolist(), own.numpy(), strict=True)
    for pair, (row, column, score) in enumerate(pairs):
        before, behind = table[row, :column], table[row, column + 1 :]
        ranks[pair] = 1 + np.count_nonzero(before >= score) + np.count_nonzero(behind > score)
    return torch.from_numpy(ranks), own


def _ranks_at_once(scores: Tensor, rows: Tensor, columns: Tensor) -> tuple[Tensor, Tensor]:
    """The same in a few launches, which is what a GPU wants, and without asking it anything."""
    position = torch.arange(scores.shape[1], device=scores.device, dtype=torch.int32)
    own = scores[rows, columns]
    # As many pairs at a time as there are users, so that their scores are no larger than the block.
    parts = zip(
        *(of.split(len(scores)) for of in (rows, columns[:, None], own[:, None])), strict=True
    )
    return torch.cat([_ranks_of_rows(scores, position, *part) for part in parts]), own


def _ranks_of_rows(
    scores: Tensor, position: Tensor, rows: Tensor, columns: Tensor, own: Tensor
) -> Tensor:
    mine = scores[rows]
    ahead = mine > own
    ahead |= (mine == own) & (position < columns)
    return 1 + ahead.sum(1, dtype=torch.int32).long()
