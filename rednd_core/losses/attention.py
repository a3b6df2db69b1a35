"""Softmax averages and their logsumexp by the fused kernel that serves a device and a precision best."""

from __future__ import annotations

import importlib.util
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

TENSOR_CORES = (8, 0)
"""The first compute capability that FlashAttention and our own kernel are written for."""
PIECE = 8  # columns; torch's kernels on CUDA read rows in pieces of 16 bytes
LARGEST_FLASH_WIDTH = 256


def attention(
    queries: Tensor, keys: Tensor, values: Tensor, scale: float, precision: torch.dtype
) -> tuple[Tensor, Tensor]:
    """o_i = sum_j p_ij v_j and lse_i = log sum_j exp(scale q_i . k_j), p the softmax over j.

    Args:
        queries: (..., A, d), keys and values: (..., C, d), rows of the first two about 1 long at most. A
            leading axis serves as attention heads.
        precision: dtype in which the kernels multiply; float32 is kept to its last digits everywhere.

    Returns:
        (..., A, d) and (..., A), of the dtype of the queries.
    """
    lead, (n_queries, size) = queries.shape[:-2], queries.shape[-2:]
    q, k, v = (
        rows.to(precision).reshape(-1, *rows.shape[-2:]).contiguous()
        for rows in (queries, keys, values)
    )
    output, lse = _cuda(q, k, v, scale) if q.is_cuda else _cpu(q, k, v, scale)
    return (
        output[..., :size].reshape(*lead, n_queries, size).to(queries.dtype),
        lse[..., :n_queries].reshape(*lead, n_queries).to(queries.dtype),
    )


def _cpu(q: Tensor, k: Tensor, v: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    output, lse = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(
        q[None], k[None], v[None], scale=scale
    )
    return output, lse


def _cuda(q: Tensor, k: Tensor, v: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    if q.dtype == torch.float32 and q.shape[-1] <= _widest_of_ours(q.device):
        from rednd_core.losses import attention_triton

        return attention_triton.attention(q, k, v, scale)
    q, k, v = (F.pad(rows, (0, -rows.shape[-1] % PIECE))[None] for rows in (q, k, v))
    is_half = q.dtype in (torch.bfloat16, torch.float16) and q.shape[-1] <= LARGEST_FLASH_WIDTH
    if is_half and torch.cuda.get_device_capability(q.device) >= TENSOR_CORES:
        output, lse = torch.ops.aten._scaled_dot_product_flash_attention(q, k, v, scale=scale)[:2]
    else:
        output, lse = torch.ops.aten._scaled_dot_product_efficient_attention(
            q, k, v, None, True, scale=scale
        )[:2]
    return output, lse


@cache
def _widest_of_ours(device: torch.device) -> int:
    """Columns up to which our own kernel serves a GPU; 0 where there is no Triton, as on Windows."""
    if torch.cuda.get_device_capability(device) < TENSOR_CORES:
        return 0
    if importlib.util.find_spec("triton") is None:
        return 0
    from rednd_core.losses import attention_triton

    return attention_triton.LARGEST_WIDTH
