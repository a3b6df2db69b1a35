"""One embedding matrix on one graph, with everything that several measures share computed once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from rednd_core.cosine import Matrix, squared_lengths, unit_rows
from rednd_core.errors import DataError
from rednd_core.graph.bipartite import BipartiteGraph
from rednd_core.smoothness.estimate import Side
from rednd_core.smoothness.pairwise import edge_cosines
from rednd_core.smoothness.rank import singular_values

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ConnectedPart:
    """The nodes that have an edge, renumbered, users first.

    Isolated nodes have zero rows from layer 1 on; left in, they would look like nodes that never
    smooth. They are left out at every depth, so that the depths stay comparable. In a graph without any
    edge no node is left out.

    Attributes:
        graph: of them, with n nodes.
        nodes: (n,) their ids in the whole graph; isolated: (N - n,) those of the others.
        excluded_users, excluded_items: how many isolated nodes were left out.
    """

    graph: BipartiteGraph
    nodes: NDArray[np.int64]
    isolated: NDArray[np.int64]
    excluded_users: int
    excluded_items: int

    @classmethod
    def of(cls, graph: BipartiteGraph) -> ConnectedPart:
        if graph.norm_adj.nnz == 0:
            everybody = np.arange(graph.n_nodes)
            return cls(graph, everybody, everybody[:0], excluded_users=0, excluded_items=0)
        return cls(
            graph=graph.connected,
            nodes=np.flatnonzero(graph.degrees),
            isolated=np.flatnonzero(graph.degrees == 0),
            excluded_users=graph.n_users - graph.connected.n_users,
            excluded_items=graph.n_items - graph.connected.n_items,
        )

    @property
    def n_users(self) -> int:
        return self.graph.n_users

    @cached_property
    def _typed(self) -> dict[tuple[str, np.dtype[np.floating]], sp.csr_array]:
        # SciPy would convert the larger factor of a product of two types.
        return {}

    def norm_adj(self, dtype: np.dtype[np.floating]) -> sp.csr_array:
        """A-hat, (n, n)."""
        if ("norm_adj", dtype) not in self._typed:
            self._typed["norm_adj", dtype] = self.graph.norm_adj.to_scipy(dtype)
        return self._typed["norm_adj", dtype]

    def adjacency(self, dtype: np.dtype[np.floating]) -> sp.csr_array:
        """A, (n, n)."""
        if ("adjacency", dtype) not in self._typed:
            self._typed["adjacency", dtype] = self.graph.adjacency.astype(dtype)
        return self._typed["adjacency", dtype]

    @property
    def n_edges(self) -> int:
        return self.graph.norm_adj.nnz // 2

    def rows(self, side: Side) -> slice:
        """Where the nodes of a side are."""
        if side == "users":
            return slice(0, self.n_users)
        return slice(self.n_users if side == "items" else 0, self.graph.n_nodes)

    def n_excluded(self, side: Side) -> int:
        """How many isolated nodes of a side were left out."""
        counts = {"users": self.excluded_users, "items": self.excluded_items}
        return counts.get(side, self.excluded_users + self.excluded_items)


class LayerView:
    """An embedding matrix over a :class:`ConnectedPart`, as the measures read it.

    Args:
        x: (n, d), the rows of ``part.nodes``.
        isolated: (N - n, d), the rows of ``part.isolated``.

    Raises:
        DataError: where a number is not finite.
    """

    def __init__(self, x: Matrix, part: ConnectedPart, isolated: Matrix) -> None:
        self.x, self.part, self._isolated = x, part, isolated
        self.squared_norms = squared_lengths(x)
        if not np.isfinite(self.squared_norms).all():
            raise DataError(
                expected="finite embeddings",
                found="NaN, infinite or overflowing rows",
                remedy="train with a lower learning rate or choose an earlier checkpoint",
            )

    @cached_property
    def unit(self) -> Matrix:
        """Unit rows, (n, d)."""
        return unit_rows(self.x, self.squared_norms)

    @cached_property
    def propagated(self) -> Matrix:
        """A-hat X, (n, d)."""
        return np.asarray(self.part.norm_adj(self.x.dtype) @ self.x)

    @property
    def whole_unit(self) -> Matrix:
        """Unit rows with those of the isolated nodes, (N, d)."""
        if not len(self._isolated):
            return self.unit
        whole = np.empty((len(self.x) + len(self._isolated), self.x.shape[1]), self.x.dtype)
        whole[self.part.nodes] = self.unit
        whole[self.part.isolated] = unit_rows(self._isolated)
        return whole

    @cached_property
    def edge_cosines(self) -> Array:
        """Sum of cosines over every node's edges, (n,)."""
        return edge_cosines(self.unit, self.part.adjacency(self.x.dtype))

    @cached_property
    def _spectra(self) -> dict[Side, Array]:
        return {}

    def spectrum(self, side: Side) -> Array:
        """Singular values of a side, largest first."""
        if side not in self._spectra:
            self._spectra[side] = singular_values(self.x[self.part.rows(side)])
        return self._spectra[side]
