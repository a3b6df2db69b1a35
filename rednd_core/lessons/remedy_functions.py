"""Remedies against over-smoothing as plain functions of arrays, for vectors that are trained already.

x^(k+1) = norm((1 - r) B x^k + r x^0), where B is the normalised adjacency of the edges that are left.
Sources: initial residual, APPNP (arXiv 1810.05997) and GCNII (2007.02133); edge dropout, DropEdge
(1907.10903); PairNorm (1909.12223), whose mean is taken over each side, because the sides of a user-item
graph collapse onto two rays.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from rednd_core.graph.bipartite import BipartiteGraph

Layer = NDArray[np.float64]


@dataclass(frozen=True)
class Remedy:
    """What is done in each step of propagation.

    Attributes:
        residual: r, the share of x^0 in every layer, from 0 to 1.
        dropped: probability that an edge is left out of a step; drawn anew for each step.
        pair_norm: whether every side is centred and brought back to the mean length that it has in x^0.
    """

    residual: float = 0.0
    dropped: float = 0.0
    pair_norm: bool = False


def propagated(
    x0: NDArray[np.floating], graph: BipartiteGraph, depth: int, remedy: Remedy
) -> Iterator[Layer]:
    """x^0 .. x^depth, (N, d) each. The same arguments give the same draws of edges."""
    rng = np.random.default_rng(0)
    first = np.asarray(x0, dtype=np.float64)
    linked = graph.degrees > 0
    whole = graph.norm_adj.to_scipy(np.float64)
    layer = first
    yield layer
    for _ in range(depth):
        adjacency = _thinned(graph, remedy.dropped, rng) if remedy.dropped else whole
        layer = (1 - remedy.residual) * (adjacency @ layer) + remedy.residual * first
        if remedy.pair_norm:
            layer = _pair_normed(layer, first, linked, graph.n_users)
        yield layer


def _thinned(graph: BipartiteGraph, dropped: float, rng: np.random.Generator) -> sp.csr_array:
    """The normalised adjacency of the edges that a draw leaves."""
    edges = graph.edges
    kept = rng.random(len(edges.users)) >= dropped
    users, items = edges.users[kept], edges.items[kept]
    ones = np.ones(len(users))
    ratings = sp.csr_array((ones, (users, items)), shape=(graph.n_users, graph.n_items))
    degrees = np.concatenate([ratings.sum(axis=1), ratings.sum(axis=0)])
    scale = np.zeros(len(degrees))
    np.divide(1, np.sqrt(degrees), out=scale, where=degrees > 0)
    both = sp.block_array([[None, ratings], [ratings.T, None]], format="csr")
    diagonal = sp.diags_array(scale)
    return sp.csr_array(diagonal @ both @ diagonal)


def _pair_normed(x: Layer, first: Layer, linked: NDArray[np.bool_], n_users: int) -> Layer:
    """Centre the linked nodes of each side, and scale them to the mean squared length of ``first``."""
    made = np.zeros_like(x)
    for side in (slice(0, n_users), slice(n_users, len(x))):
        rows = np.flatnonzero(linked[side]) + side.start
        centred = x[rows] - x[rows].mean(axis=0)
        length, wanted = np.square(centred).sum(), np.square(first[rows]).sum()
        made[rows] = centred * np.sqrt(wanted / length) if length > 0 else centred
    return made
