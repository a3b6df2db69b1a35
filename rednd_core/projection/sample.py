"""Which nodes a map shows when it cannot show all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rednd_core.errors import ConfigError, DataError


@dataclass(frozen=True)
class NodeSample:
    """Sorted distinct nodes out of ``n_total``, so that a view can say "n of N".

    Raises:
        DataError: nodes that are not sorted, not distinct, or outside 0..n_total-1.
    """

    nodes: NDArray[np.int64]
    n_total: int

    def __post_init__(self) -> None:
        nodes = self.nodes
        if len(nodes) and (
            nodes[0] < 0 or nodes[-1] >= self.n_total or (np.diff(nodes) <= 0).any()
        ):
            raise DataError(
                expected=f"sorted distinct nodes between 0 and {self.n_total - 1}",
                found=f"{len(nodes)} nodes from {nodes.min()} to {nodes.max()}",
                remedy="choose nodes of this graph, each once",
            )


@dataclass(frozen=True, eq=False)
class SampledRows:
    """The rows of a sample, kept where the layer is not; read as the layer itself by these nodes.

    Attributes:
        rows: (n, d), of ``sample.nodes``.
    """

    sample: NodeSample
    rows: NDArray[np.float32]

    @property
    def shape(self) -> tuple[int, int]:
        """That of the layer."""
        return self.sample.n_total, self.rows.shape[1]

    def __getitem__(self, nodes: NDArray[np.int64]) -> NDArray[np.float32]:
        if not np.array_equal(nodes, self.sample.nodes):
            raise DataError(
                expected=f"the {len(self.sample.nodes):,} sampled nodes",
                found=f"{len(nodes):,} nodes",
                remedy="sample the layer again",
            )
        return self.rows


def sample_nodes(
    n_users: int, n_items: int, n: int, *, random_state: int = 0, include: Iterable[int] = ()
) -> NodeSample:
    """About ``n`` nodes, users and items in their true proportion.

    A larger sample with the same ``random_state`` holds the smaller one, so that enlarging a map adds
    nodes and replaces none. Each side that exists has at least one node.

    Args:
        n: how many; all nodes when there are no more.
        include: nodes that must be there, e.g. the selected ones; they come on top of ``n``.

    Raises:
        ConfigError: ``n`` below 3, which no map can use.
        DataError: an included node that does not exist.
    """
    if n < 3:
        raise ConfigError(
            expected="a sample of at least 3 nodes", found=str(n), remedy="ask for more nodes"
        )
    total = n_users + n_items
    rng = np.random.default_rng(random_state)
    users, items = rng.permutation(n_users), n_users + rng.permutation(n_items)
    wanted = min(n, total)
    most, least = min(n_users, wanted - min(1, n_items)), min(1, n_users)
    from_users = min(max(round(wanted * n_users / max(total, 1)), least), most)
    extra = np.fromiter(include, dtype=np.int64)
    chosen = np.concatenate([users[:from_users], items[: wanted - from_users], extra])
    return NodeSample(np.unique(chosen).astype(np.int64), total)


def sample_linked(
    linked: NDArray[np.bool_], n_users: int, n: int, *, include: Iterable[int] = ()
) -> NodeSample:
    """:func:`sample_nodes` among the nodes that have a train interaction.

    A node without one has a zero vector from layer 1 on, so that no place on a map is right for it.

    Args:
        linked: (N,) whether a node has one, users first.
        include: as for :func:`sample_nodes`; those without an interaction are left out.
    """
    found = np.flatnonzero(linked)
    n_linked_users = int(np.searchsorted(found, n_users))
    wanted = np.fromiter(include, dtype=np.int64)
    places = np.searchsorted(found, wanted[linked[wanted]])
    drawn = sample_nodes(n_linked_users, len(found) - n_linked_users, n, include=places)
    return NodeSample(found[drawn.nodes].astype(np.int64), len(linked))
