"""How far one node has been smoothed: its agreement with its neighbours, or with its own beginning.

The mean of 1 - :func:`neighbour_agreement` is a relative of the edge MAD per node; here every node keeps
its own value, so that a map can be coloured by it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rednd_core.errors import DataError
from rednd_core.graph.bipartite import BipartiteGraph

Array = NDArray[np.float64]


def neighbour_agreement(x: ArrayLike, graph: BipartiteGraph) -> Array:
    """cos(x_i, mean over the neighbours j of i of x_j) in [-1, 1], (N,); O(E d).

    NaN where it is not defined: isolated nodes, and nodes whose row or neighbour mean is zero.

    Raises:
        DataError: ``x`` (N, d) has another number of rows than the graph has nodes.
    """
    rows = np.asarray(x, dtype=np.float64)
    if len(rows) != graph.n_nodes:
        raise DataError(
            expected=f"{graph.n_nodes} rows, one for every node of the graph",
            found=str(len(rows)),
            remedy="pass a layer of a run that was trained on this graph",
        )
    # The sum over the neighbours points where their mean points.
    return _row_cosines(rows, np.asarray(graph.adjacency.astype(np.float64) @ rows))


def self_agreement(x: ArrayLike, start: ArrayLike) -> Array:
    """cos(x_i, x_i^0) in [-1, 1], (N,): what aggregation left of a node's own direction.

    NaN where either row is zero, and for all nodes where the widths differ. On the mean of the layers
    1..k its mean over nodes is one minus the node-neighbour discrepancy of RedNⁿD (arXiv 2412.18962).
    """
    rows, own = np.asarray(x, dtype=np.float64), np.asarray(start, dtype=np.float64)
    if len(rows) == len(own) and rows.shape != own.shape:
        return np.full(len(rows), np.nan)
    return _row_cosines(rows, own)


def _row_cosines(a: Array, b: Array) -> Array:
    products = np.einsum("ij,ij->i", a, b)
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    cosines: Array = np.full(len(a), np.nan)
    np.divide(products, norms, out=cosines, where=norms > 0)
    return cosines.clip(-1.0, 1.0)
