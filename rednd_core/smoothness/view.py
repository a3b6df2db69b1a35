"""One embedding matrix on one graph, with everything that several measures share computed once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from rednd_core.errors import DataError
from rednd_core.graph.bipartite import BipartiteGraph
from rednd_core.smoothness.estimate import Side
from rednd_core.smoothness.pairwise import edge_cosines, unit_rows
from rednd_core.smoothness.rank import singular_values

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ConnectedPart:
    """The nodes that have an edge, renumbered, users first.

    Isolated nodes have zero rows from layer 1 on; left in, they would look like nodes that never
    smooth. They are left out at every depth, so that the depths stay comparable.

    Attributes:
        nodes: (n,) their ids in the whole graph; isolated: (N - n,) those of the others.
        excluded_users, excluded_items: how many isolated nodes were left out.
        norm_adj: A-hat over them, (n, n) float64; adjacency: A, (n, n).
        ratings: R, (n_users, n_items) float64.
        degrees: (n,) int64, all >= 1.
    """

    n_users: int
    nodes: NDArray[np.int64]
    isolated: NDArray[np.int64]
    excluded_users: int
    excluded_items: int
    norm_adj: sp.csr_array
    adjacency: sp.csr_array
    ratings: sp.csr_array
    degrees: NDArray[np.int64]

    @classmethod
    def of(cls, graph: BipartiteGraph) -> ConnectedPart:
        nodes = np.flatnonzero(graph.degrees)
        n_users = int(np.searchsorted(nodes, graph.n_users))
        norm_adj, adjacency = graph.norm_adj.to_scipy(np.float64), graph.adjacency
        if len(nodes) < graph.n_nodes:
            norm_adj = norm_adj[nodes][:, nodes]
            adjacency = adjacency[nodes][:, nodes]
        return cls(
            n_users=n_users,
            nodes=nodes,
            isolated=np.flatnonzero(graph.degrees == 0),
            excluded_users=graph.n_users - n_users,
            excluded_items=graph.n_items - (len(nodes) - n_users),
            norm_adj=norm_adj,
            adjacency=adjacency,
            ratings=adjacency[:n_users, n_users:].astype(np.float64),
            degrees=graph.degrees[nodes],
        )

    @property
    def n_edges(self) -> int:
        return int(self.ratings.nnz)

    def rows(self, side: Side) -> slice:
        """Where the nodes of a side are."""
        if side == "users":
            return slice(0, self.n_users)
        return slice(self.n_users if side == "items" else 0, len(self.nodes))

    def n_excluded(self, side: Side) -> int:
        """How many isolated nodes of a side were left out."""
        counts = {"users": self.excluded_users, "items": self.excluded_items}
        return counts.get(side, self.excluded_users + self.excluded_items)


class LayerView:
    """An embedding matrix over a :class:`ConnectedPart`, as the measures read it.

    Args:
        x: (n, d) float64, the rows of ``part.nodes``.
        isolated: (N - n, d), the rows of ``part.isolated``.

    Raises:
        DataError: where a number is not finite.
    """

    def __init__(self, x: Array, part: ConnectedPart, isolated: Array) -> None:
        self.x, self.part, self._isolated = x, part, isolated
        self.squared_norms: Array = np.einsum("ij,ij->i", x, x)
        if not np.isfinite(self.squared_norms).all():
            raise DataError(
                expected="finite embeddings",
                found="NaN, infinite or overflowing rows",
                remedy="train with a lower learning rate or choose an earlier checkpoint",
            )

    @cached_property
    def unit(self) -> Array:
        """Unit rows, (n, d)."""
        return unit_rows(self.x, self.squared_norms)

    @cached_property
    def propagated(self) -> Array:
        """A-hat X, (n, d)."""
        return np.asarray(self.part.norm_adj @ self.x)

    @property
    def whole(self) -> Array:
        """X with the isolated nodes, (N, d)."""
        if not len(self._isolated):
            return self.x
        whole = np.empty((len(self.x) + len(self._isolated), self.x.shape[1]))
        whole[self.part.nodes], whole[self.part.isolated] = self.x, self._isolated
        return whole

    @cached_property
    def user_edge_cosines(self) -> Array:
        """Sum of cosines over every user's edges, (n_users,)."""
        users, items = self.unit[self.part.rows("users")], self.unit[self.part.rows("items")]
        return edge_cosines(users, items, self.part.ratings)

    @cached_property
    def item_edge_cosines(self) -> Array:
        """Sum of cosines over every item's edges, (n_items,)."""
        users, items = self.unit[self.part.rows("users")], self.unit[self.part.rows("items")]
        return edge_cosines(items, users, self.part.ratings.T)

    @cached_property
    def _spectra(self) -> dict[Side, Array]:
        return {}

    def spectrum(self, side: Side) -> Array:
        """Singular values of a side, largest first."""
        if side not in self._spectra:
            self._spectra[side] = singular_values(self.x[self.part.rows(side)])
        return self._spectra[side]
