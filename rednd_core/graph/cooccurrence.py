"""Which users chose the same items: a graph of users, as DualGNN reads it (IEEE TMM 25, 2023)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from rednd_core.errors import ConfigError
from rednd_core.graph.weighted import EdgePattern

_BLOCK_PAIRS = 8_000_000  # pairs of users that are counted at a time: about 100 MB


@dataclass(frozen=True)
class CoOccurrence:
    """For every user those with most items in common, most first.

    Attributes:
        pattern: (n_users, n_users); row u has u's neighbours, directed.
        counts: (n_edges,) int64, common items, in the order of the pattern.
    """

    pattern: EdgePattern
    counts: NDArray[np.int64]


def co_occurrence_graph(ratings: sp.csr_array, k: int) -> CoOccurrence:
    """The k users with most items in common with each user, themselves left out.

    Among equals the lower id comes first. A user who shares no item with anybody has no neighbour.

    Args:
        ratings: binary, (n_users, n_items); train pairs only.
        k: most neighbours of a user, at least 1.
    """
    if k < 1:
        raise ConfigError(expected="k of at least 1", found=str(k), remedy="raise k")
    binary = sp.csr_array(
        (np.ones(ratings.nnz, np.int64), ratings.indices, ratings.indptr), shape=ratings.shape
    )
    by_item = sp.csr_array(binary.T)
    # At most so many users share an item with each user, counted with repetition.
    reached = np.concatenate([[0], np.cumsum(binary @ np.diff(by_item.indptr))])
    degrees: list[NDArray[np.int64]] = []
    neighbours: list[NDArray[np.int64]] = []
    counts: list[NDArray[np.int64]] = []
    start = 0
    while start < binary.shape[0]:
        stop = int(np.searchsorted(reached, reached[start] + _BLOCK_PAIRS, side="right")) - 1
        stop = max(stop, start + 1)
        degree, found, count = _largest(binary[start:stop] @ by_item, start, k)
        degrees.append(degree)
        neighbours.append(found)
        counts.append(count)
        start = stop
    indptr = np.concatenate([[0], *map(np.asarray, degrees)]).cumsum()
    pattern = EdgePattern(
        indptr.astype(np.int32), _joined(neighbours).astype(np.int32), binary.shape[0]
    )
    return CoOccurrence(pattern, _joined(counts))


def _largest(
    shared: sp.csr_array, start: int, k: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Number, ids and counts of the neighbours of the users from ``start`` on; ``shared`` (m, n_users)."""
    n_users, most = shared.shape[1], int(shared.data.max(initial=0))
    rows = np.repeat(np.arange(shared.shape[0]), np.diff(shared.indptr))
    columns, counts = shared.indices.astype(np.int64), shared.data
    others = columns != rows + start
    # One number a pair, which orders by row, then count, then column: several keys sort more slowly.
    keys = np.sort(((rows * (most + 1) + most - counts) * n_users + columns)[others])
    rest, columns = np.divmod(keys, n_users)
    rows, below = np.divmod(rest, most + 1)
    degrees = np.bincount(rows, minlength=shared.shape[0])
    first = np.cumsum(degrees) - degrees
    kept = np.arange(len(rows)) - first[rows] < k
    return np.minimum(degrees, k), columns[kept], most - below[kept]


def _joined(parts: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)
