"""InfoNCE between two views of the same nodes, without the matrix of all pairs.

    loss = mean_n [ logsumexp_j(q_n . k_j / t) - q_n . k_n / t ]

The first term is what a fused attention kernel computes on its way: attention with queries q and
keys = values = k returns lse_i and the softmax average o_i = sum_j p_ij k_j, and

    d lse_i / d q_i = o_i / t,      d (sum_i g_i lse_i) / d k_j = sum_i g_i p_ij q_i / t.

The second sum is again a forward attention with the roles swapped: keys q_i with the bias -lse_i, so that
its logits are log p_ij, and values g_i q_i; its average times its own exp(lse'_j) = sum_i p_ij. Memory is
linear in the number of nodes, the value and both gradients are exact.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from rednd_core.errors import ConfigError
from rednd_core.losses.attention import attention
from rednd_core.losses.unit_rows import unit_rows

LEAST_TEMPERATURE = 0.03
"""Logits are cosines over t, of which float32 keeps seven digits, and lie above :data:`HIDDEN_LOGIT`."""
HIDDEN_LOGIT = -200.0
"""Of a padded candidate: gone among real ones, and yet no infinity, whose differences would be NaN."""


def info_nce(
    anchors: Tensor,
    candidates: Tensor,
    positives: Tensor,
    temperature: float,
    real_anchors: Tensor | None = None,
    real_candidates: Tensor | None = None,
    precision: torch.dtype | None = None,
) -> Tensor:
    """InfoNCE by cosine similarity, of one set of nodes or of several side by side.

    Args:
        anchors: (..., A, d) with at most one leading axis, e.g. of modalities.
        candidates: (..., C, d); every one but an anchor's positive is a negative.
        positives: (A,) int64, the row of ``candidates`` that belongs to each anchor.
        temperature: t, at least :data:`LEAST_TEMPERATURE`.
        real_anchors: (A,) bool, real_candidates: (C,) bool; the others are padding and count for nothing.
            The positive of a real anchor is real. None: there is no padding.
        precision: in which the kernels multiply, None for that of the rows. With bfloat16 and t = 0.2
            the loss is right to about 0.1 % and a gradient to about 1 % of its largest entry; for nodes that
            agree, t = 0.1 makes that 7 %, and t = 0.05 leaves nothing of it. It pays on CUDA.

    Returns:
        (...), in nats; ln C where all rows point the same way.

    Raises:
        ConfigError: a lower temperature.
    """
    if temperature < LEAST_TEMPERATURE:
        raise ConfigError(
            expected=f"a temperature of at least {LEAST_TEMPERATURE:g}",
            found=f"{temperature:g}",
            remedy="raise it; the paper's is 0.2",
        )
    queries, keys = unit_rows(anchors), unit_rows(candidates)
    agreement = (queries * keys[..., positives, :]).sum(dim=-1) / temperature
    hidden = None
    if real_candidates is not None:
        hidden = torch.where(real_candidates, 0.0, HIDDEN_LOGIT).to(keys.dtype)
    lse: Tensor = _LogSumExp.apply(  # type: ignore[no-untyped-call]
        queries, keys, hidden, 1.0 / temperature, precision or queries.dtype
    )
    losses = lse - agreement
    if real_anchors is None:
        return losses.mean(dim=-1)
    return (losses * real_anchors).sum(dim=-1) / real_anchors.sum()


class _LogSumExp(torch.autograd.Function):
    """lse_i = logsumexp_j(scale q_i . k_j + b_j), (..., A), of q (..., A, d), k (..., C, d) and b (C,)."""

    @staticmethod
    def forward(
        ctx: Any,
        queries: Tensor,
        keys: Tensor,
        bias: Tensor | None,
        scale: float,
        precision: torch.dtype,
    ) -> Tensor:
        averages, lse = attention(queries, keys, keys, scale, precision, bias)
        ctx.save_for_backward(queries, keys, bias, averages, lse)
        ctx.scale, ctx.precision = scale, precision
        return lse

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None, None, None]:
        queries, keys, bias, averages, lse = ctx.saved_tensors
        grad_queries = grad_keys = None
        if ctx.needs_input_grad[0]:
            grad_queries = averages * (grad[..., None] * ctx.scale)
        if ctx.needs_input_grad[1]:
            values = queries * grad[..., None]
            sums, log_total = attention(keys, queries, values, ctx.scale, ctx.precision, -lse)
            if bias is not None:
                log_total = log_total + bias
            grad_keys = sums * (log_total.exp()[..., None] * ctx.scale)
        return grad_queries, grad_keys, None, None, None
