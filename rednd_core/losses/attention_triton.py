"""Attention of float32 accuracy on the 16-bit matrix units of a GPU, by a kernel of our own.

Units for float32 do 67 TFLOP/s on an H100, those for float16 more than ten times that. So every factor is
written as hi + lo, two float16 numbers that together hold 22 bits, and a product takes three:
lo hi + hi lo + hi hi, summed in float32. What is left out, lo lo, is below float32's own rounding. The units
cut off where float32 rounds, always towards zero: sums over many tiles are added up outside of them.

The pass over the keys is that of FlashAttention (Dao et al., NeurIPS 2022): a running maximum and a running
sum for each query, one tile of scores at a time.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import triton
import triton.language as tl
from torch import Tensor

LARGEST_WIDTH = 128
"""Columns whose tiles fit next to each other into a multiprocessor."""


class Tiles(NamedTuple):
    """Rows of a tile, warps that share one, tiles of keys under way."""

    queries: int
    keys: int
    n_warps: int
    n_stages: int


NARROW, WIDE = Tiles(128, 64, 8, 2), Tiles(64, 32, 4, 2)
"""To 64 columns, and above. Compiled for any GPU since Ampere they need less than 99 KB of shared memory, the
least that one of these has, or on Hopper and Blackwell's large chips 100 KB of 227."""


def attention(
    queries: Tensor, keys: Tensor, values: Tensor, scale: float, bias: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Softmax average of the values and logsumexp, (H, A, d) and (H, A).

    Args:
        queries: (H, A, d), keys: (H, C, d), rows about 1 long at most; values: (H, C, d), of which 22 bits of
            the largest count. float32, d at most :data:`LARGEST_WIDTH`.
        bias: (H, C), added to the logits of a key.
    """
    n_heads, n_queries, size = queries.shape
    width = max(16, triton.next_power_of_2(size))
    # float16 ends at 65,504, and its last digit is best near 1.
    peak = values.abs().amax().clamp_min(torch.finfo(torch.float32).tiny)
    parts = [
        part
        for rows in (queries, keys, values / peak)
        for part in _split(torch.nn.functional.pad(rows, (0, width - size)))
    ]
    tiles = NARROW if width <= 64 else WIDE
    output = queries.new_empty(n_heads, n_queries, width)
    lse = queries.new_empty(n_heads, n_queries)
    _attend[triton.cdiv(n_queries, tiles.queries), n_heads](
        *parts,
        lse if bias is None else (bias / math.log(2)).contiguous(),
        output,
        lse,
        n_queries,
        keys.shape[1],
        scale / math.log(2),
        has_bias=bias is not None,
        width=width,
        query_tile=tiles.queries,
        key_tile=tiles.keys,
        num_warps=tiles.n_warps,
        num_stages=tiles.n_stages,
    )
    return output[..., :size] * peak, lse


def _split(rows: Tensor) -> tuple[Tensor, Tensor]:
    high = rows.half()
    return high.contiguous(), (rows - high.float()).half().contiguous()


@triton.jit(do_not_specialize=["n_queries", "n_keys"])  # compiled once for all of them
def _attend(
    q_high_ptr,
    q_low_ptr,
    k_high_ptr,
    k_low_ptr,
    v_high_ptr,
    v_low_ptr,
    bias_ptr,
    output_ptr,
    lse_ptr,
    n_queries,
    n_keys,
    scale,  # of exponents to the base 2
    has_bias: tl.constexpr,
    width: tl.constexpr,
    query_tile: tl.constexpr,
    key_tile: tl.constexpr,
):
    head = tl.program_id(1).to(tl.int64)
    rows = tl.program_id(0) * query_tile + tl.arange(0, query_tile)
    columns = tl.arange(0, width)
    is_query = rows < n_queries
    at = (head * n_queries + rows)[:, None] * width + columns[None, :]
    q_high = tl.load(q_high_ptr + at, mask=is_query[:, None], other=0.0)
    q_low = tl.load(q_low_ptr + at, mask=is_query[:, None], other=0.0)

    largest = tl.full([query_tile], float("-inf"), tl.float32)
    total = tl.zeros([query_tile], tl.float32)
    average = tl.zeros([query_tile, width], tl.float32)
    for begin in range(0, n_keys, key_tile):
        others = begin + tl.arange(0, key_tile)
        is_key = others < n_keys
        place = (head * n_keys + others)[:, None] * width + columns[None, :]
        k_high = tl.load(k_high_ptr + place, mask=is_key[:, None], other=0.0)
        k_low = tl.load(k_low_ptr + place, mask=is_key[:, None], other=0.0)
        scores = tl.dot(q_low, tl.trans(k_high))
        scores = tl.dot(q_high, tl.trans(k_low), scores)
        scores = tl.dot(q_high, tl.trans(k_high), scores) * scale
        if has_bias:
            place_of_bias = bias_ptr + head * n_keys + others
            scores += tl.load(place_of_bias, mask=is_key, other=float("-inf"))[None, :]
        else:
            scores = tl.where(is_key[None, :], scores, float("-inf"))

        now = tl.maximum(largest, tl.max(scores, 1))
        # Up to 2^10, so that float16 tells small ones from nothing: it ends at 2^-24.
        weights = tl.exp2(scores - now[:, None] + 10)
        shrunk = tl.exp2(largest - now)
        total = total * shrunk + tl.sum(weights, 1)
        w_high = weights.to(tl.float16)
        w_low = (weights - w_high.to(tl.float32)).to(tl.float16)
        v_high = tl.load(v_high_ptr + place, mask=is_key[:, None], other=0.0)
        v_low = tl.load(v_low_ptr + place, mask=is_key[:, None], other=0.0)
        of_tile = tl.dot(w_low, v_high)
        of_tile = tl.dot(w_high, v_low, of_tile)
        of_tile = tl.dot(w_high, v_high, of_tile)
        average = average * shrunk[:, None] + of_tile
        largest = now

    tl.store(output_ptr + at, average / total[:, None], mask=is_query[:, None])
    lse = (largest - 10 + tl.log2(total)) * 0.6931471805599453
    tl.store(lse_ptr + head * n_queries + rows, lse, mask=is_query)
