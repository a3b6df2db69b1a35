"""Measures of the angles between embeddings: MAD, alignment, uniformity.

All but :func:`pair_mad` take unit rows (see :func:`unit_rows`). A zero row stays zero, i.e. its
cosine with every row is 0 and its cosine distance 1. MAD: Chen et al. 2020, arXiv 1909.03211;
alignment and uniformity: Wang and Isola 2020, arXiv 2005.10242.
"""

from __future__ import annotations

import math

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from rednd_core.smoothness.estimate import Z95, Estimate
from rednd_core.smoothness.precision import Matrix

Array = NDArray[np.float64]

_ROWS_A_BLOCK = 1024  # a block of 64-d rows stays in the second-level cache
_CANCELLED = 0.1  # share of the squares: below, the short form of pair_mad has lost a digit


def squared_lengths(x: Matrix) -> Array:
    """|x_i|^2, (n,)."""
    return np.asarray(np.einsum("ij,ij->i", x, x), dtype=np.float64)


def unit_rows(x: Matrix, squared_norms: Array | None = None) -> Matrix:
    """x_i / |x_i|, (n, d), of the type of ``x``; zero rows stay zero."""
    if squared_norms is None:
        squared_norms = squared_lengths(x)
    norms = np.sqrt(squared_norms)
    norms[norms == 0] = 1.0
    return np.asarray(x / norms.astype(x.dtype)[:, None])


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


def edge_cosines(unit: Matrix, adjacency: sp.csr_array) -> Array:
    """Sum of cos(i, j) over the edges of every node i, (n,), O(n_edges d).

    Args:
        adjacency: binary, (n, n), of the type of ``unit``; another would copy its larger operand.
    """
    return np.asarray(np.einsum("ij,ij->i", adjacency @ unit, unit, dtype=np.float64))


def edge_mad(cosine_sums: Array, n_edges: int) -> float:
    """Mean over edges of 1 - cos, from :func:`edge_cosines`; NaN without edges."""
    if n_edges == 0:
        return math.nan
    return max(0.0, 1.0 - float(cosine_sums.sum()) / n_edges)


def edge_mad_rows(cosine_sums: Array, degrees: NDArray[np.int64]) -> float:
    """Mean over nodes (all of degree >= 1) of the mean distance to the neighbours."""
    if len(degrees) == 0:
        return math.nan
    return max(0.0, 1.0 - float(np.mean(cosine_sums / degrees)))


def alignment(cosine_sums: Array, n_edges: int) -> float:
    """Mean over edges of |u - i|^2 = 2 - 2 cos, i.e. twice the edge MAD; in [0, 4]."""
    return 2.0 * edge_mad(cosine_sums, n_edges)


def uniformity(unit: Matrix, n_pairs: int, rng: np.random.Generator) -> Estimate:
    """log mean over pairs i != j of exp(-2 |u_i - u_j|^2), with |.|^2 = 2 - 2 cos.

    ``n_pairs`` pairs are drawn with replacement; the interval is the normal one of the mean, carried
    through the logarithm. Exact where there are no more than ``n_pairs`` pairs in all.
    """
    n = len(unit)
    total = n * (n - 1) // 2
    if total == 0:
        return Estimate(math.nan, n=0)
    exact = total <= n_pairs
    if exact:
        left, right = np.triu_indices(n, k=1)
    else:
        left = rng.integers(n, size=n_pairs)
        right = rng.integers(n - 1, size=n_pairs)
        right += right >= left
    kernel = np.empty(len(left))
    for first in range(0, len(left), _ROWS_A_BLOCK):
        block = slice(first, first + _ROWS_A_BLOCK)
        pairs = unit[left[block]], unit[right[block]]
        cosines = np.einsum("ij,ij->i", *pairs, dtype=np.float64)
        kernel[block] = np.exp(4.0 * (cosines - 1.0))
    mean = float(kernel.mean())
    value = min(0.0, math.log(mean))
    if exact:
        return Estimate(value, n=total)
    spread = float(kernel.std(ddof=1)) / math.sqrt(n_pairs)
    return Estimate(value, n=n_pairs, ci=Z95 * spread / mean, exact=False)
