"""Exact nearest neighbours in the original space.

:func:`nearest` serves whole layers: a float32 product proposes, float64 decides, and a row whose
proposal cannot be proven complete is computed again in float64. So the result is that of a float64
brute force, also in a nearly collapsed layer, where all cosines agree to six digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rednd_core import cosine
from rednd_core.cosine import most_similar, unit_rows
from rednd_core.errors import ConfigError, DataError

if TYPE_CHECKING:
    import torch

ROWS_AT_ONCE = 1 << 16  # of a layer, as float64
SPARE = 16  # candidates beyond k that float32 proposes


@dataclass(frozen=True)
class KNNGraph:
    """The k nearest rows of every row, itself first.

    Attributes:
        indices: (n, k) int32, column 0 is the row itself.
        distances: (n, k) float32, ascending, column 0 is 0.

    Raises:
        DataError: anything else, e.g. from a foreign cache file (numba checks no bounds).
    """

    indices: NDArray[np.int32]
    distances: NDArray[np.float32]

    def __post_init__(self) -> None:
        indices, distances, n = self.indices, self.distances, len(self.indices)
        if (
            indices.ndim != 2
            or indices.shape != distances.shape
            or indices.dtype.str != "<i4"
            or distances.dtype.str != "<f4"
            or not np.array_equal(indices[:, 0], np.arange(n))
            or indices.min() < 0
            or indices.max() >= n
            or not np.isfinite(distances).all()
        ):
            raise DataError(
                expected="a kNN graph (n, k) of rows 0..n-1 with every row first among its own",
                found=f"{indices.dtype} {indices.shape} and {distances.dtype} {distances.shape}",
                remedy="build it with rednd_core.projection.nearest",
            )


def nearest(x: ArrayLike, k: int) -> KNNGraph:
    """Exact k nearest rows of every row of ``x`` (n, d), the row itself counted and first.

    By cosine distance, 1 - cosine, in [0, 2]; a zero row is at distance 1 from every other row.
    Ties are broken by the lower index where float64 can tell, else arbitrarily but repeatably.

    Raises:
        ConfigError: ``k`` outside 1..n.
    """
    import torch

    rows = unit_rows(np.asarray(x, dtype=np.float64))
    n = len(rows)
    if not 1 <= k <= n:
        raise ConfigError(
            expected=f"k between 1 and the number of rows, {n}",
            found=str(k),
            remedy="ask for fewer neighbours or pass more nodes",
        )
    exact = torch.from_numpy(np.ascontiguousarray(rows))
    single = exact.float()
    indices = np.empty((n, k), dtype=np.int32)
    distances = np.zeros((n, k), dtype=np.float32)
    indices[:, 0] = np.arange(n)
    step = max(1, cosine.COSINES_A_BLOCK // n)
    for start in range(0, n if k > 1 else 0, step):
        own = torch.arange(start, min(start + step, n))
        columns, far = _cosine_block(exact, single, own, k - 1)
        indices[start : start + len(own), 1:] = columns.numpy()
        distances[start : start + len(own), 1:] = far.numpy()
    return KNNGraph(indices, distances)


def _cosine_block(
    exact: torch.Tensor, single: torch.Tensor, own: torch.Tensor, k: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """The k nearest of the unit rows ``own`` and their distances (b, k), ascending."""
    import torch

    n, d = exact.shape
    proposed, guess = most_similar(single, own, min(k + SPARE, n - 1))
    proposed, _ = proposed.sort(dim=1)  # so that the stable sort breaks ties by index
    cosines = torch.einsum("bd,bkd->bk", exact[own], exact[proposed])
    cosines, order = cosines.sort(dim=1, descending=True, stable=True)
    cosines, columns = cosines[:, :k], proposed.gather(1, order)[:, :k]
    if guess.shape[1] < n - 1:
        # Rounding of the rows and of a float32 sum of d terms: the cosine of whatever was not
        # proposed is at most this much above the last one proposed.
        error = (d + 4) * torch.finfo(torch.float32).eps
        unsure = (cosines[:, -1] < guess[:, -1] + error).nonzero().squeeze(1)
        if len(unsure):
            columns[unsure], cosines[unsure] = most_similar(exact, own[unsure], k)
    return columns, (1 - cosines).clamp(0, 2)


def neighbours(
    x: Any, node: int, k: int, candidates: ArrayLike | None = None
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The nearest nodes of one node by cosine in the original space, nearest first.

    Args:
        x: (N, d) array or tensor; a memory-mapped array is read once.
        node: row whose neighbours are wanted; it is never among them.
        k: how many; fewer come back when there are fewer candidates.
        candidates: rows to choose from, e.g. the items; None means all.

    Returns:
        indices (k,) int64 and cosine similarities (k,) float64; ties by the lower index. A zero row
        has cosine 0 with every row.

    Raises:
        DataError: ``node`` or a candidate outside 0..N-1.
        ConfigError: ``k`` below 1.
    """
    rows = x.detach().cpu().numpy() if hasattr(x, "detach") else x
    n = len(rows)
    pool = np.arange(n) if candidates is None else np.unique(np.asarray(candidates, np.int64))
    if not 0 <= node < n or (len(pool) and (pool[0] < 0 or pool[-1] >= n)):
        raise DataError(
            expected=f"a node and candidates between 0 and {n - 1}",
            found=f"node {node} and candidates {pool[:1].tolist()} to {pool[-1:].tolist()}",
            remedy="pass row numbers of the layer (item i is node n_users + i)",
        )
    if k < 1:
        raise ConfigError(
            expected="k of at least 1", found=str(k), remedy="ask for one neighbour or more"
        )
    pool = pool[pool != node]
    target = unit_rows(np.asarray(rows[node], dtype=np.float64)[None])[0]
    cosines = np.empty(len(pool))
    for start in range(0, len(pool), ROWS_AT_ONCE):
        block = slice(start, start + ROWS_AT_ONCE)
        cosines[block] = unit_rows(np.asarray(rows[pool[block]], dtype=np.float64)) @ target
    order = np.argsort(-cosines, kind="stable")[:k]
    return pool[order].astype(np.int64), cosines[order]
