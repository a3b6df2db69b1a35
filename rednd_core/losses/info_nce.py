"""InfoNCE between two views of the same nodes, without the matrix of all pairs.

    loss = mean_n [ logsumexp_j(q_n . k_j / t) - q_n . k_n / t ]

The first term is what a fused attention kernel computes on its way: attention with queries q and
keys = values = k returns lse_i and the softmax average o_i = sum_j p_ij k_j, and

    d lse_i / d q_i = o_i / t,      d (sum_i g_i lse_i) / d k_j = sum_i g_i p_ij q_i / t.

The second sum is again a forward attention with the roles swapped: keys q_i, values
g_i exp(c - lse_i) q_i for any c, its output scaled by exp(lse'_j - c), lse' its own logsumexp. Memory is
linear in the number of nodes, the value and both gradients are exact.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from rednd_core.errors import ConfigError
from rednd_core.losses.attention import attention

LEAST_TEMPERATURE = 0.03
"""Logits are cosines over t, so an exponent above is at most 2 / t and ln(C / A): float32 ends at 88."""
HIDDEN_LOGIT = 200.0
"""How far below the real ones a padded candidate is: e^-200 is 0 in float32, e^200 is not needed."""


def info_nce(
    anchors: Tensor,
    candidates: Tensor,
    positives: Tensor,
    temperature: float,
    n_anchors: int | Tensor | None = None,
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
        n_anchors: anchors to divide by, where these are only some of them, or none.
        real_anchors: (A,) bool, real_candidates: (C,) bool; the others are padding and count for nothing.
            The positive of a real anchor is real. None: there is no padding.
        precision: in which the kernels multiply, None for that of the rows. With bfloat16 the loss is right
            to about 0.1 % and a gradient to about 1 % of its largest entry; it pays on CUDA.

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
    if not len(positives):  # the kernels want at least one query
        return 0 * (anchors.sum(dim=(-2, -1)) + candidates.sum(dim=(-2, -1)))
    queries, keys = F.normalize(anchors, dim=-1), F.normalize(candidates, dim=-1)
    agreement = (queries * keys[..., positives, :]).sum(dim=-1) / temperature
    if real_candidates is not None:
        queries, keys = _hiding(queries, keys, real_candidates, temperature)
    lse: Tensor = _LogSumExp.apply(  # type: ignore[no-untyped-call]
        queries, keys, 1.0 / temperature, precision or queries.dtype
    )
    losses = lse - agreement
    if real_anchors is not None:
        losses = losses * real_anchors
    return losses.sum(dim=-1) / (len(positives) if n_anchors is None else n_anchors)


def _hiding(
    queries: Tensor, keys: Tensor, is_real: Tensor, temperature: float
) -> tuple[Tensor, Tensor]:
    """Both with one more column, whose product lowers the logits of padded keys beyond notice.

    The fused kernels need no mask for that, and with theirs for padded widths no more columns.
    """
    lowered = torch.where(is_real, 0.0, -HIDDEN_LOGIT * temperature).to(keys.dtype)
    return (
        F.pad(queries, (0, 1), value=1.0),
        torch.cat([keys, lowered[:, None].expand(*keys.shape[:-1], 1)], dim=-1),
    )


class _LogSumExp(torch.autograd.Function):
    """lse_i = logsumexp_j(scale * q_i . k_j), (..., A), from q (..., A, d) and k (..., C, d)."""

    @staticmethod
    def forward(
        ctx: Any, queries: Tensor, keys: Tensor, scale: float, precision: torch.dtype
    ) -> Tensor:
        averages, lse = attention(queries, keys, keys, scale, precision)
        ctx.save_for_backward(queries, keys, averages, lse)
        ctx.scale, ctx.precision = scale, precision
        return lse

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        queries, keys, averages, lse = ctx.saved_tensors
        grad_queries = grad_keys = None
        if ctx.needs_input_grad[0]:
            grad_queries = averages * (grad[..., None] * ctx.scale)
        if ctx.needs_input_grad[1]:
            center = lse.mean(dim=-1, keepdim=True)
            values = queries * (grad * (center - lse).exp())[..., None]
            sums, swapped_lse = attention(keys, queries, values, ctx.scale, ctx.precision)
            grad_keys = sums * ((swapped_lse - center).exp()[..., None] * ctx.scale)
        return grad_queries, grad_keys, None, None
