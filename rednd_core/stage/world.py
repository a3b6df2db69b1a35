"""The nodes that a stage may show: all of a data set, or those that a sample has."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rednd_core.data.schema import Dataset, IntArray, Interactions, Split
from rednd_core.errors import DataError
from rednd_core.graph.bipartite import BipartiteGraph, bipartite_graph


@dataclass(frozen=True, eq=False)
class World:
    """Some nodes of a data set as a data set of their own, numbered anew.

    Attributes:
        nodes: (n,) ascending; node k here is node ``nodes[k]`` of the whole data set.
        dataset: these users and items with the pairs among them.
        graph: the train pairs among them. Its degrees are those of the whole graph, so that no node counts
            as isolated because its neighbours are not in the sample.
        n_users, n_items: of the whole data set.
    """

    nodes: IntArray
    dataset: Dataset
    graph: BipartiteGraph
    n_users: int
    n_items: int

    @property
    def is_whole(self) -> bool:
        return len(self.nodes) == self.n_users + self.n_items

    @classmethod
    def whole(cls, dataset: Dataset, graph: BipartiteGraph) -> World:
        """All nodes."""
        return cls(np.arange(graph.n_nodes), dataset, graph, dataset.n_users, dataset.n_items)

    @classmethod
    def of(cls, nodes: IntArray, dataset: Dataset, graph: BipartiteGraph) -> World:
        """The ``nodes``, ascending node numbers.

        Raises:
            DataError: no user or no item among them.
        """
        if len(nodes) == graph.n_nodes:
            return cls.whole(dataset, graph)
        users = nodes[nodes < dataset.n_users]
        items = nodes[len(users) :] - dataset.n_users
        if not len(users) or not len(items):
            raise DataError(
                expected="users and items in the sample",
                found=f"{len(users):,} users and {len(items):,} items",
                remedy="train with a larger snapshot_mb, or show one run alone",
            )
        train, valid, test = (
            _among(pairs, users, items) for pairs in (dataset.train, dataset.valid, dataset.test)
        )
        split = Split(train, valid, test)
        part = replace(
            dataset, n_users=len(users), n_items=len(items), split=split, features={}, notices=()
        )
        edges = bipartite_graph(split.train, len(users), len(items))
        return cls(
            nodes,
            part,
            replace(edges, degrees=graph.degrees[nodes]),
            dataset.n_users,
            dataset.n_items,
        )

    def place(self, node: int) -> int | None:
        """Where a node of the whole data set is here; None if it is not."""
        found = int(np.searchsorted(self.nodes, node))
        return found if found < len(self.nodes) and self.nodes[found] == node else None


def _among(pairs: Interactions, users: IntArray, items: IntArray) -> Interactions:
    """The pairs of some users and items, ascending, numbered anew."""
    kept = np.isin(pairs.users, users) & np.isin(pairs.items, items)
    return Interactions(
        np.searchsorted(users, pairs.users[kept]).astype(np.int64),
        np.searchsorted(items, pairs.items[kept]).astype(np.int64),
    )
