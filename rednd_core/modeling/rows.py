"""Rows of embedding tables, with gradients that are the same bits in every run on the CPU."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from rednd_core.data.sampling import BPRBatch


def gather(table: Tensor, rows: Tensor) -> Tensor:
    """Rows of a table, (n, d) and (batch,) -> (batch, d).

    Unlike that of ``table[rows]``, which several threads sum in any order, the gradient is the same bits in
    every run on the CPU. On CUDA that would take a sort, and nothing there is the same in every bit.
    """
    return table.index_select(0, rows) if table.is_cuda else F.embedding(rows, table)


def batch_rows(
    batch: BPRBatch, user_table: Tensor, item_table: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """A batch's users, positive items and negative items, (batch, d) each.

    Both kinds of items are read at once, as the gradient of every reading is a table of its own.
    """
    users = gather(user_table, batch.users)
    items = gather(item_table, torch.cat([batch.pos_items, batch.neg_items]))
    positives, negatives = items.chunk(2)
    return users, positives, negatives


class Distinct(NamedTuple):
    """The distinct ids among (n,) ids.

    Attributes:
        ids: (m,).
        is_real: (m,) bool, False for padding, which repeats an id; None where there is no padding.
    """

    ids: Tensor
    is_real: Tensor | None


def distinct(rows: Tensor) -> Distinct:
    """Every id of (n,) once.

    On CUDA padded to n ids: the host does not wait to be told how many there are, and every batch has
    the same shapes, so that a step can be recorded.
    """
    return _padded(rows) if _keeps_shapes(rows) else Distinct(rows.unique(), None)


def batch_nodes(batch: BPRBatch, n_users: int) -> Distinct:
    """The users and the positive items of a batch as nodes, each once."""
    return distinct(torch.cat([batch.users, batch.pos_items + n_users]))


def _keeps_shapes(rows: Tensor) -> bool:
    return rows.is_cuda


def _padded(rows: Tensor) -> Distinct:
    ordered = rows.sort().values
    begins = torch.ones_like(ordered, dtype=torch.bool)
    torch.ne(ordered[1:], ordered[:-1], out=begins[1:])
    place = begins.cumsum(0) - 1  # of each ordered id, among the distinct ones
    ids = ordered[:1].repeat(len(rows)).scatter_(0, place, ordered)
    return Distinct(ids, torch.arange(len(rows), device=rows.device) <= place[-1])
