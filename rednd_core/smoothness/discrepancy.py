"""Mean cosine distance between the rows of two matrices: how far nodes turned away from themselves.

Node-neighbour discrepancy (RedNⁿD, arXiv 2412.18962) takes x^0 and the mean of the layers 1..k.
"""

from __future__ import annotations

import math

import numpy as np

from rednd_core.cosine import Array, Matrix, squared_lengths


def paired_cosine_distance(
    start: Matrix, other: Matrix, squared_norms: tuple[Array, Array] | None = None
) -> float:
    """1 - mean_i cos(start_i, other_i), in [0, 2]; NaN without nodes.

    Args:
        start, other: (n, d). A zero row has cosine 0.
        squared_norms: |.|^2 of the rows of both, (n,) each, where they are known already.
    """
    if len(start) == 0:
        return math.nan
    products = np.einsum("ij,ij->i", start, other, dtype=np.float64)
    if squared_norms is None:
        squared_norms = squared_lengths(start), squared_lengths(other)
    # Two roots: the product of the squares may leave the range of float64.
    lengths = np.sqrt(squared_norms[0]) * np.sqrt(squared_norms[1])
    lengths[lengths == 0] = 1.0
    return max(0.0, 1.0 - float(np.mean(products / lengths)))
