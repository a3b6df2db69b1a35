"""Products with one normalised graph: what an engine gives, and their gradients.

An engine supplies plain power sums without a gradient; :class:`SparsePropagator` makes differentiable
products of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

PowerSum = Callable[[Tensor, int], Tensor]
"""(x, n) -> A x + A^2 x + ... + A^n x, without a gradient. Horner's form A (x + A (x + ...)) needs n
products and n - 1 additions, and keeps no layer."""

Propagate = Callable[[Tensor], Tensor]
"""x -> A x, (n, d) -> (n, d), differentiable."""


class Propagator(Protocol):
    """An engine bound to one normalised graph, on one device."""

    def __call__(self, x: Tensor) -> Tensor:
        """A x, (n, d) -> (n, d)."""

    def power_sum(self, x: Tensor, n: int) -> Tensor:
        """A x + A^2 x + ... + A^n x, (n_nodes, d) -> (n_nodes, d); zeros for n = 0.

        The sum of n layers of linear propagation: faster than adding them up, forwards and backwards.
        """

    def power_sum_rows(self, x: Tensor, n: int, nodes: Tensor) -> tuple[Tensor, Tensor]:
        """Rows ``nodes`` of x and of :meth:`power_sum`, (m, d) each, for a loss that reads no others.

        Faster than taking them from both tables: the gradient of x is one table, not the sum of two.

        Args:
            nodes: ids, (m,). On the CPU distinct, so that gradients are the same bits in any order.
        """


class SparsePropagator:
    """p(A) x with gradient p(A^T) g: two plain power sums.

    The matrix is constant, so autograd needs nothing saved; for a symmetric matrix the backward pass
    is the forward's own product, and nothing is stored twice.
    """

    def __init__(self, forward: PowerSum, backward: PowerSum) -> None:
        self._forward, self._backward = forward, backward

    def __call__(self, x: Tensor) -> Tensor:
        return self.power_sum(x, 1)

    def power_sum(self, x: Tensor, n: int) -> Tensor:
        if n == 0:
            return torch.zeros_like(x)
        result: Tensor = _PowerSum.apply(x, n, self._forward, self._backward)  # type: ignore[no-untyped-call]
        return result

    def power_sum_rows(self, x: Tensor, n: int, nodes: Tensor) -> tuple[Tensor, Tensor]:
        if n == 0:
            own = x.index_select(0, nodes)
            return own, torch.zeros_like(own)
        own, above = _PowerSumRows.apply(x, n, nodes, self._forward, self._backward)  # type: ignore[no-untyped-call]
        return own, above


class _PowerSum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, n: int, forward: PowerSum, backward: PowerSum) -> Tensor:
        ctx.n, ctx.backward_sum = n, backward
        return forward(x.contiguous(), n)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None, None]:
        return ctx.backward_sum(grad.contiguous(), ctx.n), None, None, None


class _PowerSumRows(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, n: int, nodes: Tensor, forward: PowerSum, backward: PowerSum
    ) -> tuple[Tensor, Tensor]:
        ctx.save_for_backward(nodes)
        ctx.n, ctx.n_rows, ctx.backward_sum = n, len(x), backward
        return x.index_select(0, nodes), forward(x.contiguous(), n).index_select(0, nodes)

    @staticmethod
    def backward(
        ctx: Any, grad_own: Tensor, grad_above: Tensor
    ) -> tuple[Tensor, None, None, None, None]:
        (nodes,) = ctx.saved_tensors
        table = grad_above.new_zeros(ctx.n_rows, grad_above.shape[1])
        grad = ctx.backward_sum(table.index_add_(0, nodes, grad_above), ctx.n)
        return grad.index_add_(0, nodes, grad_own), None, None, None, None


def weighted_sum(terms: Sequence[tuple[float, Propagate]]) -> Propagate:
    """x -> sum over m of w_m A_m x: how the graphs of several modalities are fused."""

    def fused(x: Tensor) -> Tensor:
        total = torch.zeros_like(x)
        for weight, term in terms:
            total = torch.add(total, term(x), alpha=weight)
        return total

    return fused
