"""Softmax averages and their logsumexp by the fused kernel that serves a device and a precision best."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Callable
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from rednd_core.errors import EngineError

OwnKernel = Callable[[Tensor, Tensor, Tensor, float, Tensor | None], tuple[Tensor, Tensor]]

TENSOR_CORES = (8, 0)
"""The first compute capability that FlashAttention and our own kernel are written for."""
PIECE = 8  # columns; torch's kernels on CUDA read rows in pieces of 16 bytes
LARGEST_FLASH_WIDTH = 256

CPU_KERNEL = "_scaled_dot_product_flash_attention_for_cpu"
FLASH_KERNEL = "_scaled_dot_product_flash_attention"
EFFICIENT_KERNEL = "_scaled_dot_product_efficient_attention"

log = logging.getLogger(__name__)


def attention(
    queries: Tensor,
    keys: Tensor,
    values: Tensor,
    scale: float,
    precision: torch.dtype,
    bias: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """o_i = sum_j p_ij v_j and lse_i = log sum_j exp(scale q_i . k_j + b_j), p the softmax over j.

    Args:
        queries: (..., A, d), keys and values: (..., C, d), rows of the first two about 1 long at most. A
            leading axis serves as attention heads.
        precision: dtype in which the kernels multiply; float32 means its digits of the largest value.
        bias: b, (..., C).

    Returns:
        (..., A, d) and (..., A), of the dtype of the queries.
    """
    lead, (n_queries, size) = queries.shape[:-2], queries.shape[-2:]
    q, k, v = (rows.reshape(-1, *rows.shape[-2:]) for rows in (queries, keys, values))
    if bias is not None:
        bias = bias.expand(keys.shape[:-1]).reshape(k.shape[:-1])  # (H, C)
    ours = _own_kernel(q.device, size) if q.is_cuda and precision == torch.float32 else None
    if ours:
        output, lse = ours(q, k, v, scale, bias)
    else:
        output, lse = _by_torch(q, k, v, scale, precision, bias)
    return (
        output[..., :size].reshape(*lead, n_queries, size).to(queries.dtype),
        lse[..., :n_queries].reshape(*lead, n_queries).to(queries.dtype),
    )


def _by_torch(
    q: Tensor, k: Tensor, v: Tensor, scale: float, precision: torch.dtype, bias: Tensor | None
) -> tuple[Tensor, Tensor]:
    """By torch's kernels, with columns and rows of padding: (1, H, A, d) and (1, H, A), or more of both."""
    q, k, v = (rows.to(precision) for rows in (q, k, v))
    if bias is not None:
        # More columns, 1 times b / scale: their own masks are dense. One of 16 bits is too coarse for a b.
        rest, columns = bias / scale, []
        for _ in range(1 if precision == bias.dtype else 3):
            columns.append(rest.to(precision))
            rest = rest - columns[-1].to(rest.dtype)
        k = torch.cat([k, torch.stack(columns, dim=-1)], dim=-1)
        q = F.pad(q, (0, len(columns)), value=1.0)
    width = q.shape[-1]
    if q.is_cuda:
        width += -width % PIECE
    q, k, v = (F.pad(rows, (0, width - rows.shape[-1])).contiguous()[None] for rows in (q, k, v))
    if not q.is_cuda:
        return torch_kernel(CPU_KERNEL)(q, k, v, scale=scale)  # type: ignore[no-any-return]
    is_half = precision in (torch.bfloat16, torch.float16) and width <= LARGEST_FLASH_WIDTH
    if is_half and torch.cuda.get_device_capability(q.device) >= TENSOR_CORES:
        return torch_kernel(FLASH_KERNEL)(q, k, v, scale=scale)[:2]  # type: ignore[no-any-return]
    return torch_kernel(EFFICIENT_KERNEL)(q, k, v, None, True, scale=scale)[:2]  # type: ignore[no-any-return]


def torch_kernel(name: str) -> Callable[..., Any]:
    """The kernel of torch with this private name.

    Raises:
        EngineError: this version of torch does not have it.
    """
    try:
        kernel: Callable[..., Any] = getattr(torch.ops.aten, name)
    except AttributeError:
        raise EngineError(
            expected=f"a version of torch with the attention kernel {name}",
            found=f"torch {torch.__version__} without it",
            remedy="run pip install -r requirements.txt",
        ) from None
    return kernel


@cache
def _own_kernel(device: torch.device, width: int) -> OwnKernel | None:
    """Our own kernel for rows of this width, tried out; None where it cannot be had.

    Triton comes with torch's builds for CUDA on Linux. What it makes of the kernel it writes into the user's
    home, with the help of a C compiler.
    """
    if torch.cuda.get_device_capability(device) < TENSOR_CORES:
        return None
    if importlib.util.find_spec("triton") is None:
        return None
    from rednd_core.losses import attention_triton

    if width > attention_triton.LARGEST_WIDTH:
        return None
    rows = torch.zeros(1, 1, width, device=device)
    try:
        for bias in (None, rows[..., 0]):
            attention_triton.attention(rows, rows, rows, 1.0, bias)
    except Exception as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        log.warning("The alignment is computed by torch's kernel, only slower: %s", reason)
        return None
    return attention_triton.attention
