"""Hop distances and connecting paths on an undirected graph.

The breadth-first search handles 64 seeds in one machine word: a bit of ``words[node]`` is 1 if that seed
reaches the node, and one hop is the bitwise OR over the neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from rednd_core.errors import DataError

_SEEDS_A_BATCH = 512  # 8 words a node: the gather over the edges stays in the tens of megabytes


def hop_distances(adjacency: sp.csr_array, seeds: ArrayLike, max_hop: int) -> NDArray[np.int8]:
    """Hops from every seed to every node.

    Args:
        adjacency: symmetric, (N, N); the stored values do not matter.
        seeds: (S,) node ids.
        max_hop: 0..126; nodes farther away are not told apart from unreachable ones.

    Returns:
        (S, N) int8: 0 for the seed itself, -1 where no path of at most ``max_hop`` edges exists.
    """
    _check_range("max_hop", max_hop, 127)
    starts = _checked_seeds(seeds, adjacency.shape[0])
    distances = np.empty((len(starts), adjacency.shape[0]), dtype=np.int8)
    for first in range(0, len(starts), _SEEDS_A_BATCH):
        batch = starts[first : first + _SEEDS_A_BATCH]
        block = np.full((adjacency.shape[0], len(batch)), -1, dtype=np.int8)
        before = np.zeros((adjacency.shape[0], 1), dtype=np.uint64)
        for hop, words in enumerate(_reached(adjacency, batch, max_hop)):
            block[_unpack(words & ~before, len(batch))] = hop
            before = words
        distances[first : first + len(batch)] = block.T
    return distances


def reach_masks(
    adjacency: sp.csr_array, seeds: ArrayLike, radii: Sequence[int]
) -> list[NDArray[np.bool_]]:
    """For every radius, which nodes lie within that many hops of each seed (the seed included).

    Args:
        adjacency: symmetric, (N, N).
        seeds: (S,) node ids; memory grows with S times the number of edges / 8 bytes.
        radii: hops, each >= 0.

    Returns:
        One (S, N) boolean array a radius, in the order of ``radii``.
    """
    for radius in radii:
        _check_range("radius", radius, np.iinfo(np.int64).max)
    starts = _checked_seeds(seeds, adjacency.shape[0])
    found: dict[int, NDArray[np.bool_]] = {}
    for hop, words in enumerate(_reached(adjacency, starts, max(radii, default=0))):
        if hop in radii:
            found[hop] = _unpack(words, len(starts)).T
    return [found[radius] for radius in radii]


@dataclass(frozen=True)
class Path:
    """One path user - via_item - via_user - item, in dense user and item ids.

    Attributes:
        weight: product of 1 / sqrt(d_a d_b) over its three edges, i.e. what this path adds to the
            entry (user, item) of the third power of the normalised adjacency.
    """

    via_item: int
    via_user: int
    weight: float


@dataclass(frozen=True)
class ConnectingPaths:
    """The heaviest paths of three hops between a user and an item.

    Attributes:
        paths: at most ``max_paths``, heaviest first.
        n_paths: how many there are in all.
        total_weight: sum over all of them.
    """

    paths: tuple[Path, ...]
    n_paths: int
    total_weight: float


def connecting_paths(
    adjacency: sp.csr_array, n_users: int, user: int, item: int, max_paths: int
) -> ConnectingPaths:
    """Why a graph model may recommend ``item`` to ``user``: other users who share an item with ``user``

    and chose ``item``. Paths over the direct edge (user, item), where it exists, are left out: they
    return to where they started. Equal weights are ordered by ids.

    Args:
        adjacency: binary bipartite adjacency, (N, N), users first.
        user, item: dense ids (``item`` is node ``n_users + item``).
    """
    _check_range("user", user, n_users)
    _check_range("item", item, adjacency.shape[0] - n_users)
    _check_range("max_paths", max_paths, np.iinfo(np.int64).max)
    target = n_users + item
    indptr, indices = adjacency.indptr, adjacency.indices
    own_items = indices[indptr[user] : indptr[user + 1]]
    own_items = own_items[own_items != target]
    fellows = indices[indptr[target] : indptr[target + 1]]
    fellows = fellows[fellows != user]
    shared = adjacency[fellows][:, own_items].tocoo()
    via_users, via_items = fellows[shared.coords[0]], own_items[shared.coords[1]]
    degrees = np.diff(indptr).astype(np.float64)
    ends = np.sqrt(degrees[user] * degrees[target])
    weights = 1.0 / (degrees[via_items] * degrees[via_users] * ends)
    order = np.lexsort((via_users, via_items, -weights))[:max_paths]
    paths = tuple(
        Path(int(via_items[p]) - n_users, int(via_users[p]), weight=float(weights[p]))
        for p in order
    )
    return ConnectingPaths(paths, n_paths=len(weights), total_weight=float(weights.sum()))


def _reached(
    adjacency: sp.csr_array, seeds: NDArray[np.int64], max_hop: int
) -> Iterator[NDArray[np.uint64]]:
    """Yield, for hop 0..max_hop, the words (N, ceil(S / 64)) of who is reached within that hop."""
    n_nodes = adjacency.shape[0]
    columns = np.arange(len(seeds))
    words = np.zeros((n_nodes, -(-len(seeds) // 64)), dtype=np.uint64)
    bits = np.uint64(1) << (columns % 64).astype(np.uint64)
    np.bitwise_or.at(words, (seeds, columns // 64), bits)
    yield words
    indptr, indices = adjacency.indptr, adjacency.indices
    reached = seeds  # nodes that a seed reached for the first time in the hop before
    for _ in range(max_hop):
        if len(reached):
            # Only the range of their neighbours is looked at: in a bipartite graph whose sides are
            # ranges, seeds of one side reach one side a hop, so half of the edges.
            passing = indices[indptr[reached.min()] : indptr[reached.max() + 1]]
            first, last = (passing.min(), passing.max() + 1) if len(passing) else (0, 0)
            # reduceat cannot express an empty segment, so only nodes with neighbours take part.
            linked = first + np.flatnonzero(np.diff(indptr[first : last + 1]))
            if len(linked):
                offset = indptr[first]
                sources = words.take(indices[offset : indptr[last]], axis=0)
                known = words[linked]
                found = known | np.bitwise_or.reduceat(sources, indptr[linked] - offset, axis=0)
                words = words.copy()
                words[linked] = found
                linked = linked[(found != known).any(axis=1)]
            reached = linked
        yield words


def _unpack(words: NDArray[np.uint64], n_seeds: int) -> NDArray[np.bool_]:
    """Words (N, W) to booleans (N, n_seeds)."""
    octets = words.astype("<u8", copy=False).view(np.uint8)
    return np.unpackbits(octets, axis=1, count=n_seeds, bitorder="little").view(np.bool_)


def _checked_seeds(seeds: ArrayLike, n_nodes: int) -> NDArray[np.int64]:
    starts = np.atleast_1d(np.asarray(seeds, dtype=np.int64))
    if len(starts) and not (starts.min() >= 0 and starts.max() < n_nodes):
        outside = starts[(starts < 0) | (starts >= n_nodes)][0]
        raise DataError(
            expected=f"seeds between 0 and {n_nodes - 1}",
            found=str(outside),
            remedy="pass node ids (item i is node n_users + i)",
        )
    return starts


def _check_range(name: str, value: int, stop: int) -> None:
    if not 0 <= value < stop:
        raise DataError(
            expected=f"{name} between 0 and {stop - 1}",
            found=str(value),
            remedy="pass a value in that range",
        )
