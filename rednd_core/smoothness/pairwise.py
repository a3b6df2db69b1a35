"""Measures of the angles between embeddings along edges and over pairs: edge MAD, alignment, uniformity.

All take unit rows (see :func:`rednd_core.cosine.unit_rows`, where MAD is). Edge MAD: Chen et al. 2020, arXiv
1909.03211; alignment and uniformity: Wang and Isola 2020, arXiv 2005.10242.
"""

from __future__ import annotations

import math

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from rednd_core.cosine import Array, Matrix
from rednd_core.smoothness.estimate import Z95, Estimate

_ROWS_A_BLOCK = 1024  # a block of 64-d rows stays in the second-level cache


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
