"""The user-item graph: A = [[0, R], [R^T, 0]] over users, then items."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from rednd_core.data.schema import Interactions, interaction_matrix
from rednd_core.graph.normalize import SparseMatrix, symmetric_normalize


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


def bipartite_graph(train: Interactions, n_users: int, n_items: int) -> BipartiteGraph:
    """Build the graph from train pairs only; validation and test edges never enter it."""
    ratings = interaction_matrix(train, n_users, n_items)
    adjacency = sp.csr_array(sp.block_array([[None, ratings], [ratings.T, None]], format="csr"))
    adjacency.sort_indices()
    return BipartiteGraph(
        n_users=n_users,
        n_items=n_items,
        adjacency=adjacency,
        norm_adj=symmetric_normalize(adjacency, symmetric=True),
        degrees=np.diff(adjacency.indptr).astype(np.int64),
    )
