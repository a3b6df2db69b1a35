"""Drawn subsets of the user-item edges, normalised by their own degrees: what edge dropout trains on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rednd_core.errors import DataError
from rednd_core.graph.bipartite import BipartiteGraph
from rednd_core.graph.normalize import SparseMatrix, inverse_root


def draw_edges(
    n_kept: int, weights: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Draw edges without replacement, each next one with probability proportional to its weight.

    Equal weights draw uniformly. The method is the one of exponential keys (Efraimidis and Spirakis,
    2006): the ``n_kept`` smallest of Exp(1) / weight.

    Args:
        n_kept: 0 to the number of edges with a positive weight.
        weights: (n_edges,), not negative.

    Returns:
        (n_edges,) booleans, ``n_kept`` of them true.

    Raises:
        DataError: a negative or infinite weight, or an impossible ``n_kept``.
    """
    if not (np.isfinite(weights) & (weights >= 0)).all():
        raise DataError(
            expected="finite weights of at least 0",
            found="others",
            remedy="compute the weights from degrees of at least 1",
        )
    n_possible = np.count_nonzero(weights)
    if not 0 <= n_kept <= n_possible:
        raise DataError(
            expected=f"between 0 and {n_possible} edges to keep",
            found=str(n_kept),
            remedy="keep no more edges than have a positive weight",
        )
    keys = np.full(len(weights), np.inf)
    np.divide(rng.exponential(size=len(weights)), weights, out=keys, where=weights > 0)
    kept = np.zeros(len(weights), dtype=np.bool_)
    if n_kept:
        kept[np.argpartition(keys, n_kept - 1)[:n_kept]] = True
    return kept


def degree_weights(graph: BipartiteGraph) -> NDArray[np.float64]:
    """1 / sqrt(d_u d_i) of every edge, (n_edges,): edges of popular nodes are dropped more often.

    The sampling weights of LayerGCN (arXiv 2207.11088) and FREEDOM (arXiv 2211.06924).
    """
    scale = inverse_root(graph.degrees)
    edges = graph.edges
    return scale[edges.users] * scale[graph.n_users + edges.items]


def normalized_subset(graph: BipartiteGraph, kept: NDArray[np.bool_]) -> SparseMatrix:
    """D^-1/2 A D^-1/2 of the kept edges, with their own degrees, (N, N) and symmetric.

    A node that keeps no edge has a zero row. The result equals ``norm_adj`` of a graph built from the
    kept pairs, but nothing is sorted again.

    Args:
        kept: (n_edges,), in the order of ``graph.edges``.
    """
    edges = graph.edges
    if kept.shape != edges.users.shape or kept.dtype != np.bool_:
        raise DataError(
            expected=f"{len(edges.users)} booleans, one an edge",
            found=f"{kept.dtype} of shape {kept.shape}",
            remedy="pass the result of draw_edges",
        )
    stays = np.concatenate([kept, kept[edges.by_item]])  # both directions, in the order of A
    before = np.zeros(len(stays) + 1, dtype=np.int32)
    np.cumsum(stays, out=before[1:])
    indptr = before[graph.norm_adj.indptr]
    scale = inverse_root(np.diff(indptr))
    return SparseMatrix(
        indptr=indptr,
        indices=graph.norm_adj.indices[stays],
        row_scale=scale,
        col_scale=scale,
        symmetric=True,
    )
