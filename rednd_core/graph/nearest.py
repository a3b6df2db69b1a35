"""Cosine nearest neighbours of rows: exact in blocks, or by an approximate index with its recall.

The index is NN-descent (Dong, Moses, Li, WWW 2011) as in PyNNDescent. It proposes more candidates than
asked for, and their exact cosines choose among them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rednd_core import cosine
from rednd_core.cosine import most_similar, unit_rows

SAMPLE = 500  # rows whose recall is measured
SEED = 0

_TIE = 1e-6  # cosines this close are the same neighbour for the recall: float32 cannot tell


@dataclass(frozen=True)
class Neighbours:
    """The nearest rows of every row.

    Attributes:
        rows: (n, k) int64, most similar first, the row itself in column 0.
        recall: share of the exact neighbours (the row itself left out) that were found, on
            ``n_sampled`` random rows; 1 where the search was exact. Equal cosines count as found.
        n_sampled: rows that the recall was measured on; 0 where the search was exact.
    """

    rows: NDArray[np.int64]
    recall: float = 1.0
    n_sampled: int = 0

    @property
    def sentence(self) -> str:
        """How the neighbours were found, for a log."""
        n, k = self.rows.shape
        if not self.n_sampled:
            return f"exact {k} nearest of {n:,} rows"
        return (
            f"approximate {k} nearest of {n:,} rows: "
            f"recall {self.recall:.3f} on {self.n_sampled:,} of {n:,} rows"
        )


def exact_nearest(features: NDArray[np.float32], k: int) -> Neighbours:
    """Exact, through blocks of rows, so that n x n similarities are never held; features (n, dim)."""
    unit = torch.from_numpy(unit_rows(features))
    return Neighbours(_exact(unit, torch.arange(len(unit)), min(k, len(unit))).numpy())


def approximate_nearest(features: NDArray[np.float32], k: int) -> Neighbours:
    """By NN-descent, repeatable, with the recall measured; features (n, dim)."""
    from pynndescent import NNDescent

    unit = torch.from_numpy(unit_rows(features))
    n, k = len(unit), min(k, len(unit))
    n_candidates = min(n, max(2 * k, 30))
    index = NNDescent(
        unit.numpy(), metric="cosine", n_neighbors=n_candidates, random_state=SEED, low_memory=True
    )
    proposed = torch.from_numpy(
        index.neighbor_graph[0].astype(np.int64)
    )  # -1 where the index found too few
    rows = torch.empty((n, k), dtype=torch.int64)
    step = max(1, cosine.COSINES_A_BLOCK // (n_candidates * unit.shape[1]))
    for start in range(0, n, step):
        own = torch.arange(start, min(start + step, n))
        rows[own] = _best(unit, own, proposed[own], k)
    recall, n_sampled = _recall(unit, rows)
    return Neighbours(rows.numpy(), recall, n_sampled)


def _exact(unit: Tensor, own: Tensor, k: int) -> Tensor:
    """The rows ``own`` (m,) themselves and the k - 1 nearest of each, (m, k)."""
    return torch.cat([own[:, None], most_similar(unit, own, k - 1)[0]], dim=1)


def _best(unit: Tensor, own: Tensor, proposed: Tensor, k: int) -> Tensor:
    """The row itself and its k - 1 best proposals, (m, k), by exact cosines.

    Rows with fewer proposals (an index may fail at islands of equal rows) are searched exactly.
    """
    usable = (proposed >= 0) & (proposed != own[:, None])
    cosines = torch.einsum("md,mcd->mc", unit[own], unit[proposed.clamp(min=0)])
    cosines[~usable] = -torch.inf
    best = cosines.topk(k - 1, dim=1)
    found = torch.cat([own[:, None], proposed.gather(1, best.indices)], dim=1)
    short = torch.isinf(best.values).any(dim=1).nonzero().squeeze(1)
    if len(short):
        found[short] = _exact(unit, own[short], k)
    return found


def _recall(unit: Tensor, rows: Tensor) -> tuple[float, int]:
    """Share of the exact neighbours found on random rows, and how many rows these were."""
    n, k = rows.shape
    rng = np.random.default_rng(SEED)
    sample = torch.from_numpy(rng.choice(n, size=min(SAMPLE, n), replace=False))
    if k == 1:
        return 1.0, len(sample)
    _, exact = most_similar(unit, sample, k - 1)
    found = torch.einsum("md,mkd->mk", unit[sample], unit[rows[sample, 1:]])
    return float((found >= exact[:, -1:] - _TIE).float().mean()), len(sample)
