"""Rows scaled to length 1, with a gradient that costs one pass over the table."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

SHORTEST = 1e-12
"""Rows that are shorter are divided by this instead of by their length; a row of zeros stays one."""


def unit_rows(rows: Tensor) -> Tensor:
    """u = x / |x| along the last axis, (..., d) -> (..., d).

    The same as ``torch.nn.functional.normalize``, whose gradient torch derives operation by operation, each
    with a table of its own. RedNⁿD normalises all nodes and all modalities in every step: with this gradient
    a step without the alignment takes 8 to 14 % less time (``benchmarks/results``).
    """
    units: Tensor = _UnitRows.apply(rows)  # type: ignore[no-untyped-call]
    return units


class _UnitRows(torch.autograd.Function):
    """dx = (du - u (u . du)) / |x|."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        lengths = torch.linalg.vector_norm(rows, dim=-1, keepdim=True).clamp_min_(SHORTEST)
        units: Tensor = rows / lengths
        ctx.save_for_backward(units, lengths)
        return units

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        units, lengths = ctx.saved_tensors
        along = torch.linalg.vecdot(units, grad)[..., None]
        return torch.addcmul(grad, units, along, value=-1).div_(lengths)
