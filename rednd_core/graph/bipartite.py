"""The user-item graph: A = [[0, R], [R^T, 0]] over users, then items."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from rednd_core.data.schema import Interactions, interaction_matrix
from rednd_core.graph.normalize import SparseMatrix, symmetric_normalize


@dataclass(frozen=True)
class BipartiteEdges:
    """The user-item edges, each once, by user and then by item.

    Attributes:
        users, items: (n_edges,) int64; an item is counted from 0.
        by_item: (n_edges,) int64, the numbers of the edges by item and then by user.
    """

    users: NDArray[np.int64]
    items: NDArray[np.int64]
    by_item: NDArray[np.int64]


@dataclass(frozen=True)
class BipartiteGraph:
    """The user-item graph of the train interactions.

    Attributes:
        adjacency: A, (N, N) float32 with ones; node i < n_users is a user, n_users + i is item i.
        norm_adj: D^-1/2 A D^-1/2 without self-loops (LightGCN, arXiv 2002.02126).
        degrees: (N,) int64.
    """

    n_users: int
    n_items: int
    adjacency: sp.csr_array
    norm_adj: SparseMatrix
    degrees: NDArray[np.int64]

    @property
    def n_nodes(self) -> int:
        return self.n_users + self.n_items

    @cached_property
    def edges(self) -> BipartiteEdges:
        """Every edge once: the upper half of A, whose lower half has the edges in the order ``by_item``."""
        n_edges = int(self.norm_adj.indptr[self.n_users])
        users = np.repeat(np.arange(self.n_users), self.degrees[: self.n_users])
        items = self.norm_adj.indices[:n_edges].astype(np.int64) - self.n_users
        return BipartiteEdges(users, items, by_item=np.argsort(items, kind="stable"))

    @cached_property
    def connected(self) -> BipartiteGraph:
        """The graph of the nodes that have an edge, renumbered in their order."""
        linked = self.degrees > 0
        if linked.all():
            return self
        # No edge is left out, so renumbering their ends is all there is to do.
        matrix = self.norm_adj
        indices = (np.cumsum(linked, dtype=matrix.indices.dtype) - 1).take(matrix.indices)
        indptr = np.concatenate([matrix.indptr[:1], matrix.indptr[1:][linked]])
        n_users, n_nodes = int(linked[: self.n_users].sum()), int(linked.sum())
        values = self.adjacency.data, indices, indptr
        return BipartiteGraph(
            n_users=n_users,
            n_items=n_nodes - n_users,
            adjacency=sp.csr_array(values, shape=(n_nodes, n_nodes)),
            norm_adj=replace(
                matrix,
                indptr=indptr,
                indices=indices,
                row_scale=matrix.row_scale[linked],
                col_scale=matrix.col_scale[linked],
            ),
            degrees=self.degrees[linked],
        )


def bipartite_graph(train: Interactions, n_users: int, n_items: int) -> BipartiteGraph:
    """Build the graph from train pairs only; validation and test edges never enter it."""
    ratings = interaction_matrix(train, n_users, n_items)
    back = (
        ratings.T.tocsr()
    )  # The conversion goes from user to user, so these rows are sorted as well.
    ends = np.concatenate([ratings.indices + n_users, back.indices])
    starts = np.concatenate([ratings.indptr, ratings.nnz + back.indptr[1:]])
    values, n_nodes = np.concatenate([ratings.data, back.data]), n_users + n_items
    adjacency = sp.csr_array((values, ends, starts), shape=(n_nodes, n_nodes))
    return BipartiteGraph(
        n_users=n_users,
        n_items=n_items,
        adjacency=adjacency,
        norm_adj=symmetric_normalize(adjacency, symmetric=True),
        degrees=np.diff(adjacency.indptr).astype(np.int64),
    )
