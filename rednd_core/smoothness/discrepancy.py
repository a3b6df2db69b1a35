"""Node-neighbour discrepancy of RedNⁿD: how far a node's readout turned away from its own embedding."""

from __future__ import annotations

import math

import numpy as np

from rednd_core.smoothness.pairwise import Array, squared_lengths
from rednd_core.smoothness.precision import Matrix


def node_neighbour_discrepancy(
    start: Matrix, mean: Matrix, squared_norms: tuple[Array, Array] | None = None
) -> float:
    """1 - mean_i cos(x_i^0, mean over k of x_i^k), in [0, 2]; NaN without nodes.

    Args:
        start: x^0, (n, d). mean: mean of the layers 0..k, (n, d). A zero row has cosine 0.
        squared_norms: |.|^2 of the rows of both, (n,) each, where they are known already.
    """
    if len(start) == 0:
        return math.nan
    products = np.einsum("ij,ij->i", start, mean, dtype=np.float64)
    if squared_norms is None:
        squared_norms = squared_lengths(start), squared_lengths(mean)
    # Two roots: the product of the squares may leave the range of float64.
    lengths = np.sqrt(squared_norms[0]) * np.sqrt(squared_norms[1])
    lengths[lengths == 0] = 1.0
    return max(0.0, 1.0 - float(np.mean(products / lengths)))
