"""Measures of how far embeddings vary along the graph: Dirichlet energy and Rayleigh quotients.

``propagated`` is A-hat X with A-hat = D^-1/2 A D^-1/2; nodes of degree 0 must have been left out.
Dirichlet energy: Cai and Wang 2020, arXiv 2006.13318; survey: Rusch et al. 2023, arXiv 2303.10993.
"""

from __future__ import annotations

import math

import numpy as np

from rednd_core.cosine import Array, Matrix


def dirichlet_energy(x: Matrix, propagated: Matrix) -> float:
    """1/2 sum_ij a_ij |x_i / sqrt(d_i) - x_j / sqrt(d_j)|^2 = |X|^2 - <X, A-hat X>, >= 0."""
    return max(0.0, _inner(x, x) - _inner(x, propagated))


def rayleigh_quotient(x: Matrix, propagated: Matrix) -> float:
    """Dirichlet energy / |X|^2, in [0, 2]; NaN for a zero matrix."""
    size = _inner(x, x)
    return dirichlet_energy(x, propagated) / size if size > 0 else math.nan


def two_hop_rayleigh_quotient(
    x_side: Matrix, propagated_other: Matrix, squared_norms: Array | None = None
) -> float:
    """<X_s, (I - B B^T) X_s> / |X_s|^2, in [0, 1]; NaN for a zero matrix.

    Args:
        x_side: rows of one side, (n_side, d).
        propagated_other: the rows of the OTHER side of A-hat X, i.e. B^T X_s, (n_other, d).
        squared_norms: |x_i|^2 of ``x_side``, (n_side,), where they are known already.
    """
    size = _inner(x_side, x_side) if squared_norms is None else float(squared_norms.sum())
    if size == 0:
        return math.nan
    return max(0.0, 1.0 - _inner(propagated_other, propagated_other) / size)


def _inner(a: Matrix, b: Matrix) -> float:
    """<a, b>; einsum has no threads to wait for, see :func:`rednd_core.cosine.pair_mad`."""
    return float(np.einsum("ij,ij->", a, b, dtype=np.float64))
