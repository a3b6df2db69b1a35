"""Directions of rows, and how alike they are: unit rows, MAD and the most similar rows, one of each for all.

MAD, the mean cosine distance over pairs: Chen et al. 2020, arXiv 1909.03211. A zero row has no direction: its
cosine with every row is 0 and its cosine distance 1.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from torch import Tensor

Matrix = NDArray[np.floating]  # float32 or float64
Array = NDArray[np.float64]

COSINES_A_BLOCK = 1 << 23  # held at a time by a search: 32 MB of float32

_ROWS_A_BLOCK = 1024  # a block of 64-d rows stays in the second-level cache
_CANCELLED = 0.1  # share of the squares: below, the short form of pair_mad has lost a digit
_SAFE_SQUARES = {
    4: (1e-30, 1e37),
    8: (1e-280, 1e300),
}  # by bytes of a number: full precision within


def squared_lengths(x: Matrix) -> Array:
    """|x_i|^2, (n,)."""
    return np.asarray(np.einsum("ij,ij->i", x, x), dtype=np.float64)


def unit_rows(x: Matrix, squared_norms: Array | None = None) -> Matrix:
    """x_i / |x_i|, (n, d), of the type of ``x``; a zero row stays zero.

    Rows whose squares would leave the range of the type are divided by their largest entry first.

    Args:
        squared_norms: |x_i|^2 where they are known already, (n,).
    """
    if squared_norms is None:
        squared_norms = squared_lengths(x)
    lengths = np.sqrt(squared_norms)
    low, high = _SAFE_SQUARES[x.dtype.itemsize]
    extreme = np.flatnonzero(~((squared_norms > low) & (squared_norms < high)))
    extreme = extreme[(x[extreme] != 0).any(axis=1)]
    if len(extreme):
        x, lengths = x.copy(), lengths.copy()
        largest = np.abs(x[extreme]).max(axis=1, keepdims=True, initial=0.0)
        x[extreme] /= largest
        lengths[extreme] = np.linalg.norm(x[extreme], axis=1)
    lengths[lengths == 0] = 1.0
    return np.asarray(x / lengths.astype(x.dtype)[:, None])


def pair_mad(x: Matrix, squared_norms: Array | None = None) -> float:
    """Mean over i != j of 1 - cos(i, j), O(n d); in [0, n / (n - 1)], NaN for fewer than two rows.

    With u the unit rows, m their mean and z the number of zero rows, the sum over pairs equals
    n sum_i |u_i - m|^2 + (n - 1) z. Where rows are far from equal, the sum of squares is
    n - z - n |m|^2. Near collapse that form cancels to noise (it goes negative), so squared deviations
    are taken from a centre c among the rows: sum |u - m|^2 = sum |u - c|^2 - n |m - c|^2.

    Sums are einsum's, as those of BLAS wait for threads: on cores that others use they took ten times
    as long, after every epoch.

    Args:
        x: rows of any length, (n, d). squared_norms: |x_i|^2 where they are known already.
    """
    n = len(x)
    if n < 2:
        return math.nan
    if squared_norms is None:
        squared_norms = squared_lengths(x)
    is_zero = squared_norms == 0
    n_zero = int(is_zero.sum())
    scale = 1.0 / np.sqrt(np.where(is_zero, 1.0, squared_norms))
    total = np.einsum("i,ij->j", scale, x)
    deviation = n - n_zero - float(np.einsum("j,j->", total, total)) / n
    if deviation < _CANCELLED * n:
        deviation = _squared_deviations(x, scale.astype(x.dtype))
    return deviation / (n - 1) + n_zero / n


def _squared_deviations(x: Matrix, scale: Matrix) -> float:
    """Sum of |u_i - m|^2 over the rows u_i = ``scale[i] * x[i]`` with the mean m."""
    n = len(x)
    some = slice(None, None, -(-n // _ROWS_A_BLOCK))
    centre = np.einsum("i,ij->j", scale[some], x[some]) / x.dtype.type(len(scale[some]))
    squares, drift = 0.0, np.zeros(x.shape[1])
    for first in range(0, n, _ROWS_A_BLOCK):
        block = slice(first, first + _ROWS_A_BLOCK)
        centred = x[block] * scale[block, None]
        centred -= centre
        squares += float(np.einsum("ij,ij->i", centred, centred).sum(dtype=np.float64))
        drift += np.einsum("ij->j", centred)
    return squares - float(np.einsum("j,j->", drift, drift)) / n


def mean_cosine(x: ArrayLike) -> float | None:
    """Mean cosine over pairs of different rows of (n, d) that are not zero; None below two of them."""
    rows = np.asarray(x, dtype=np.float64)
    rows = rows[(rows != 0).any(axis=1)]
    return None if len(rows) < 2 else 1 - pair_mad(unit_rows(rows))


def most_similar(unit: Tensor, own: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k rows with the largest cosines to each of the rows ``own``, that row itself left out.

    Exact up to the rounding of a product in the type of ``unit``; ties come in any order. Rows are taken in
    blocks, so that n x n cosines are never held.

    Args:
        unit: (n, d), rows of length 1, or 0 for a row without a direction.
        own: row numbers, (m,) int64.
        k: at most n - 1.

    Returns:
        row numbers (m, k) int64 and cosines (m, k), largest first.
    """
    import torch

    rows = torch.empty((len(own), k), dtype=torch.int64)
    cosines = torch.empty((len(own), k), dtype=unit.dtype)
    step = max(1, COSINES_A_BLOCK // max(1, len(unit)))
    for start in range(0, len(own) if k else 0, step):
        block = own[start : start + step]
        scores = unit[block] @ unit.T
        scores[torch.arange(len(block)), block] = -torch.inf
        found = scores.topk(k, dim=1)
        rows[start : start + step], cosines[start : start + step] = found.indices, found.values
    return rows, cosines
