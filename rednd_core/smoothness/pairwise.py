"""Measures of the angles between embeddings: MAD, alignment, uniformity.

All but :func:`pair_mad` take unit rows (see :func:`unit_rows`). A zero row stays zero, i.e. its
cosine with every row is 0 and its cosine distance 1. MAD: Chen et al. 2020, arXiv 1909.03211;
alignment and uniformity: Wang and Isola 2020, arXiv 2005.10242.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from rednd_core.smoothness.estimate import Z95, Estimate

Array = NDArray[np.float64]

_ROWS_A_BLOCK = 1024  # a block of 64-d rows stays in the second-level cache


def unit_rows(x: Array, squared_norms: Array | None = None) -> Array:
    """x_i / |x_i|, (n, d); zero rows stay zero."""
    if squared_norms is None:
        squared_norms = np.einsum("ij,ij->i", x, x)
    norms = np.sqrt(squared_norms)
    norms[norms == 0] = 1.0
    return np.asarray(x / norms[:, None])


def pair_mad(x: Array, squared_norms: Array | None = None) -> float:
    """Mean over i != j of 1 - cos(i, j), O(n d); in [0, n / (n - 1)], NaN for fewer than two rows.

    With u the unit rows, m their mean and z the number of zero rows, the sum over pairs equals
    n sum_i |u_i - m|^2 + (n - 1) z. Squared deviations keep the value accurate when all rows are
    nearly equal, where the textbook form 1 - (|sum u|^2 - n) / (n (n - 1)) cancels to noise.

    Sums are einsum's, as those of BLAS wait for threads: on cores that others use they took ten times
    as long, after every epoch.

    Args:
        x: rows of any length, (n, d). squared_norms: |x_i|^2 where they are known already.
    """
    n = len(x)
    if n < 2:
        return math.nan
    if squared_norms is None:
        squared_norms = np.einsum("ij,ij->i", x, x)
    is_zero = squared_norms == 0
    scale = 1.0 / np.sqrt(np.where(is_zero, 1.0, squared_norms))
    mean, deviation = np.einsum("i,ij->j", scale, x) / n, 0.0
    for first in range(0, n, _ROWS_A_BLOCK):
        block = slice(first, first + _ROWS_A_BLOCK)
        centred = x[block] * scale[block, None]
        centred -= mean
        deviation += float(np.einsum("ij,ij->", centred, centred))
    return deviation / (n - 1) + int(is_zero.sum()) / n


def masked_row_distances(
    units: Sequence[Array], rows: NDArray[np.int64], mask: NDArray[np.bool_]
) -> Array:
    """Mean cosine distance of some rows to the rows that a mask selects, for several embeddings.

    Args:
        units: V arrays (n, d_v) of unit rows over the same nodes.
        rows: (S,) which rows.
        mask: (S, n); True where the pair counts. Pairs are counted in the mask, never by "distance
            is not 0": whether equal rows give exactly 0 is decided by rounding.

    Returns:
        (V, S); NaN where a row has no pair.
    """
    weights = mask.astype(np.float64)
    counts = weights.sum(axis=1)
    counts[counts == 0] = math.nan
    cosines = [np.einsum("ij,ij->i", weights @ unit, unit[rows]) for unit in units]
    return np.asarray(1.0 - np.stack(cosines) / counts)


def masked_mad(unit: Array, mask: NDArray[np.bool_]) -> float:
    """MAD of the original paper: row means over the masked-in pairs, then the mean over the rows that

    have any; NaN where none has. With every pair i != j masked in it equals :func:`pair_mad`.
    """
    distances = masked_row_distances([unit], np.arange(len(unit)), mask)[0]
    present = ~np.isnan(distances)
    return float(distances[present].mean()) if present.any() else math.nan


def edge_cosines(
    unit_users: Array, unit_items: Array, ratings: sp.csr_array | sp.csc_array
) -> Array:
    """Sum of cos(u, i) over the edges of every user, (n_users,), O(n_edges d).

    Args:
        ratings: binary, (n_users, n_items).
    """
    return np.asarray(np.einsum("ij,ij->i", ratings @ unit_items, unit_users))


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


def uniformity(unit: Array, n_pairs: int, rng: np.random.Generator) -> Estimate:
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
        cosines = np.einsum("ij,ij->i", unit[left[block]], unit[right[block]])
        kernel[block] = np.exp(4.0 * (cosines - 1.0))
    mean = float(kernel.mean())
    value = min(0.0, math.log(mean))
    if exact:
        return Estimate(value, n=total)
    spread = float(kernel.std(ddof=1)) / math.sqrt(n_pairs)
    return Estimate(value, n=n_pairs, ci=Z95 * spread / mean, exact=False)
