"""Rows of embedding tables, with gradients that touch a table as seldom as they can.

A training step on a large graph is bound by how often it walks over (N, d) tables, not by arithmetic.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


def gather(table: Tensor, rows: Tensor) -> Tensor:
    """Rows of a table, (n, d) and (batch,) -> (batch, d).

    Unlike that of ``table[rows]``, which several threads sum in any order, the gradient is the same bits in
    every run on the CPU. On CUDA that would take a sort, and nothing there is the same in every bit.
    """
    return table.index_select(0, rows) if table.is_cuda else F.embedding(rows, table)


class Distinct(NamedTuple):
    """The distinct ids among those of a batch's rows, (n,).

    Attributes:
        ids: (m,). of_row: (n,), ``ids[of_row]`` are the batch's.
        is_real: (m,) bool, False for padding, which repeats an id; None where there is none.
    """

    ids: Tensor
    of_row: Tensor
    is_real: Tensor | None


def distinct(rows: Tensor) -> Distinct:
    """Every id of (n,) once.

    On CUDA padded to n ids: the host does not wait to be told how many there are, and every batch has
    the same shapes, so that a step can be recorded.
    """
    if rows.is_cuda:
        return _padded(rows)
    ids, of_row = rows.unique(return_inverse=True)
    return Distinct(ids, of_row, None)


def readable(rows: Tensor) -> Distinct:
    """Ids to read from a table for (n,) rows: every id once; on CUDA, where it gains nothing, as they are."""
    return _as_they_come(rows) if rows.is_cuda else distinct(rows)


def _as_they_come(rows: Tensor) -> Distinct:
    return Distinct(rows, torch.arange(len(rows), device=rows.device), None)


def _padded(rows: Tensor) -> Distinct:
    ordered, order = rows.sort()
    begins = torch.ones_like(ordered, dtype=torch.bool)
    torch.ne(ordered[1:], ordered[:-1], out=begins[1:])
    place = begins.cumsum(0) - 1  # of each ordered row, among the distinct ones
    ids = ordered[:1].repeat(len(rows)).scatter_(0, place, ordered)
    of_row = torch.empty_like(order).scatter_(0, order, place)
    return Distinct(ids, of_row, torch.arange(len(rows), device=rows.device) <= place[-1])


def unit_rows(raw: Tensor) -> tuple[Tensor, Tensor]:
    """Rows scaled to length 1 and their lengths, (..., d) -> (..., d) and (..., 1).

    A row of zeros stays one. Both results are differentiable: with y = x / |x|,
    dx = (dy - y (y . dy)) / |x| + y d|x|.
    """
    unit, lengths = _UnitRows.apply(raw)  # type: ignore[no-untyped-call]
    return unit, lengths


class _UnitRows(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, raw: Tensor) -> tuple[Tensor, Tensor]:
        lengths = torch.linalg.vector_norm(raw, dim=-1, keepdim=True)
        unit = raw / lengths.clamp_min(1e-12)
        ctx.save_for_backward(unit, lengths)
        return unit, lengths

    @staticmethod
    def backward(ctx: Any, grad_unit: Tensor, grad_lengths: Tensor) -> Tensor:
        unit, lengths = ctx.saved_tensors
        along = torch.linalg.vecdot(unit, grad_unit)[..., None]
        grad = torch.addcmul(grad_unit, unit, grad_lengths * lengths - along)
        return grad.div_(lengths.clamp_min(1e-12))


def read_out(ego: Tensor, neighbours: Tensor, nodes: Tensor, n_users: int) -> tuple[Tensor, ...]:
    """What a batch's losses need of the ego embeddings and of the sum of the layers above.

    Args:
        ego, neighbours: (N, D).
        nodes: node ids, (n,). On the CPU distinct, so that gradients are the same bits in any order.

    Returns:
        ``ego[nodes]`` and ``neighbours[nodes]``, each (n, D), and the readout of all items,
        ``(ego + neighbours)[n_users:]``, (n_items, D).
    """
    rows: tuple[Tensor, ...] = _ReadOut.apply(ego, neighbours, nodes, n_users)  # type: ignore[no-untyped-call]
    return rows


class _ReadOut(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, ego: Tensor, neighbours: Tensor, nodes: Tensor, n_users: int
    ) -> tuple[Tensor, ...]:
        ctx.save_for_backward(nodes)
        ctx.n_users = n_users
        return (
            ego.index_select(0, nodes),
            neighbours.index_select(0, nodes),
            ego[n_users:] + neighbours[n_users:],
        )

    @staticmethod
    def backward(
        ctx: Any, grad_ego_rows: Tensor, grad_rows: Tensor, grad_items: Tensor
    ) -> tuple[Tensor, Tensor, None, None]:
        (nodes,) = ctx.saved_tensors
        grad = grad_items.new_empty(ctx.n_users + len(grad_items), grad_items.shape[1])
        grad[: ctx.n_users] = 0
        grad[ctx.n_users :] = grad_items
        grad_ego = grad.clone().index_add_(0, nodes, grad_ego_rows)
        return grad_ego, grad.index_add_(0, nodes, grad_rows), None, None
