"""InfoNCE between two views of the same nodes, without the matrix of all pairs.

    loss = mean_n [ logsumexp_j(q_n . k_j / t) - q_n . k_n / t ]

The first term is what a fused attention kernel computes on its way: attention with queries q and
keys = values = k returns lse_i and the softmax average o_i = sum_j p_ij k_j, and

    d lse_i / d q_i = o_i / t,      d (sum_i g_i lse_i) / d k_j = sum_i g_i p_ij q_i / t.

The second sum is again a forward attention with the roles swapped: keys q_i, a bias of -lse_i on each
key, values g_i q_i, its output scaled by the exponential of its own logsumexp. Memory is linear in the
number of nodes, the value and both gradients are exact.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def info_nce(
    anchors: Tensor,
    candidates: Tensor,
    positives: Tensor,
    temperature: float,
    n_anchors: int | None = None,
) -> Tensor:
    """InfoNCE by cosine similarity, of one set of nodes or of several side by side.

    Args:
        anchors: (..., A, d) with at most one leading axis, e.g. of modalities.
        candidates: (..., C, d); every one but an anchor's positive is a negative.
        positives: (A,) int64, the row of ``candidates`` that belongs to each anchor.
        temperature: t > 0.
        n_anchors: anchors to divide by, where these are only some of them, or none.

    Returns:
        (...), in nats; ln C where all rows point the same way.
    """
    if not len(positives):  # the kernels want at least one query
        return 0 * (anchors.sum(dim=(-2, -1)) + candidates.sum(dim=(-2, -1)))
    queries, keys = F.normalize(anchors, dim=-1), F.normalize(candidates, dim=-1)
    lse: Tensor = _LogSumExp.apply(queries, keys, 1.0 / temperature)  # type: ignore[no-untyped-call]
    agreement = (queries * keys[..., positives, :]).sum(dim=-1) / temperature
    return (lse - agreement).sum(dim=-1) / (len(positives) if n_anchors is None else n_anchors)


class _LogSumExp(torch.autograd.Function):
    """lse_i = logsumexp_j(scale * q_i . k_j), (..., A), from q (..., A, d) and k (..., C, d)."""

    @staticmethod
    def forward(ctx: Any, queries: Tensor, keys: Tensor, scale: float) -> Tensor:
        averages, lse = _attention(queries, keys, keys, scale)
        ctx.save_for_backward(queries, keys, averages, lse)
        ctx.scale = scale
        return lse

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        queries, keys, averages, lse = ctx.saved_tensors
        grad_queries = grad_keys = None
        if ctx.needs_input_grad[0]:
            grad_queries = averages * (grad[..., None] * ctx.scale)
        if ctx.needs_input_grad[1]:
            sums, swapped_lse = _attention(
                keys, queries, queries * grad[..., None], ctx.scale, key_bias=-lse
            )
            grad_keys = sums * (swapped_lse.exp()[..., None] * ctx.scale)
        return grad_queries, grad_keys, None


def _attention(
    queries: Tensor, keys: Tensor, values: Tensor, scale: float, key_bias: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Softmax average of the values and logsumexp, (..., A, d) and (..., A), by torch's fused kernels.

    A leading axis serves as attention heads. ``key_bias`` (..., C) is added to every query's score of
    a key.
    """
    lead, n_queries, n_keys = queries.shape[:-2], queries.shape[-2], keys.shape[-2]
    q, k, v = (
        rows.reshape(1, -1, *rows.shape[-2:]).contiguous() for rows in (queries, keys, values)
    )
    bias = None
    if key_bias is not None:
        # Contiguous keys: the CPU kernel would copy the expanded bias, queries x keys, otherwise.
        bias = key_bias.reshape(1, -1, 1, n_keys).contiguous()
    if queries.is_cuda:
        if bias is not None:
            # This kernel wants rows of the bias aligned to 16 bytes: pad the storage, not the shape.
            bias = F.pad(bias, (0, -n_keys % 8)).expand(-1, -1, n_queries, -1)[..., :n_keys]
        output, lse = torch.ops.aten._scaled_dot_product_efficient_attention(
            q, k, v, bias, True, scale=scale
        )[:2]
    else:
        if bias is not None:
            bias = bias.expand(-1, -1, n_queries, -1)
        output, lse = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(
            q, k, v, attn_mask=bias, scale=scale
        )
    return (
        output.reshape(*lead, n_queries, -1),
        lse[..., :n_queries].reshape(*lead, n_queries),
    )
