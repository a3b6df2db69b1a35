"""How many directions the embeddings use.

Effective rank: Roy and Vetterli 2007, as in RankMe (arXiv 2210.02885). Numerical (stable) rank as in
arXiv 2502.04591.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_ROWS_A_BLOCK = 1024  # as float64 in the second-level cache

# The Gram matrix squares the condition number: below this ratio of its eigenvalues the smallest
# singular values would carry relative errors above about 1e-8, so a QR factorisation takes over.
_WELL_CONDITIONED = 1e-8


def singular_values(x: NDArray[np.floating]) -> Array:
    """Singular values of (n, d), largest first: from X^T X in O(n d^2), or from a QR factor.

    QR is some five times slower and is used only where X is nearly rank-deficient (collapsed).
    """
    gram = np.zeros((x.shape[1], x.shape[1]))
    for first in range(0, len(x), _ROWS_A_BLOCK):
        block = np.asarray(x[first : first + _ROWS_A_BLOCK], dtype=np.float64)
        gram += block.T @ block
    values = from_eigenvalues(np.linalg.eigvalsh(gram))
    if values is None:
        factor = np.linalg.qr(np.asarray(x, dtype=np.float64), mode="r")
        values = np.linalg.svd(factor, compute_uv=False)
    return np.asarray(values)


def from_eigenvalues(eigenvalues: NDArray[np.floating]) -> Array | None:
    """Singular values, largest first, from the eigenvalues of X^T X, (d,), smallest first.

    None where squaring has lost the smallest of them.
    """
    if not eigenvalues[0] > _WELL_CONDITIONED * eigenvalues[-1]:
        return None
    return np.asarray(np.sqrt(eigenvalues[::-1]))


def effective_rank(values: Array) -> float:
    """exp of the entropy of the normalised singular values, in [1, d]; NaN for a zero matrix."""
    total = values.sum()
    if not total > 0:
        return math.nan
    shares = values[values > 0] / total
    return math.exp(-float(shares @ np.log(shares)))


def numerical_rank(values: Array) -> float:
    """|X|_F^2 / |X|_2^2, in [1, d]; NaN for a zero matrix."""
    largest = float(values.max(initial=0.0))
    return float(np.sum((values / largest) ** 2)) if largest > 0 else math.nan
