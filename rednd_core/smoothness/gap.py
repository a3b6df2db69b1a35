"""MADGap: mean distance to remote nodes minus mean distance to near nodes.

Chen et al. 2020, arXiv 1909.03211. The rows are all nodes or a sample of them; a row always meets all
columns, so a sample only widens the interval.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from rednd_core.cosine import Matrix
from rednd_core.graph.khop import reach_masks
from rednd_core.smoothness.estimate import Z95, Estimate
from rednd_core.smoothness.node_sets import NodeSets

Array = NDArray[np.float64]

_ROWS_A_BLOCK = 64  # the bits of a word: the search for several words a node leaves the caches


@dataclass(frozen=True)
class GapRule:
    """Near: 1..``near`` hops. Remote: more than ``beyond`` hops, or no path at all."""

    near: int
    beyond: int


PAPER_RULE = GapRule(near=3, beyond=7)
# Two nodes of one side are an even number of hops apart: "at least 6" means "not within 4".
SAME_TYPE_RULE = GapRule(near=2, beyond=4)


class GapRows:
    """Sampled rows with their near and remote nodes: any number of embeddings is measured on them.

    Args:
        adjacency: (N, N), symmetric.
        side: which nodes are paired with one another.
        n_rows: rows to draw without replacement; all of them (exact) where there are no more.
    """

    def __init__(
        self,
        adjacency: sp.csr_array,
        side: slice,
        rule: GapRule,
        n_rows: int,
        rng: np.random.Generator,
    ) -> None:
        first, last, _ = side.indices(adjacency.shape[0])
        self.side, self.population = side, last - first
        exact = n_rows >= self.population
        self._rows = np.arange(self.population) if exact else _sample(self.population, n_rows, rng)
        self._near, self._remote = NodeSets(self.population), NodeSets(self.population)
        for start in range(0, len(self._rows), _ROWS_A_BLOCK):
            block = self._rows[start : start + _ROWS_A_BLOCK]
            within, reached = (
                mask[:, side]
                for mask in reach_masks(adjacency, block + first, (rule.near, rule.beyond))
            )
            within[np.arange(len(block)), block] = False  # a node is no neighbour of itself
            self._near.add(within)
            self._remote.add(~reached)

    def gap(self, unit: Matrix) -> Estimate:
        """MADGap of unit rows (N, d); NaN where no row has a near, or none a remote node."""
        members = unit[self.side]
        own = members[self._rows]
        near, remote = (sets.distances(members, own) for sets in (self._near, self._remote))
        return _difference(remote, near, self.population)


def _sample(population: int, n_rows: int, rng: np.random.Generator) -> NDArray[np.int64]:
    return np.sort(rng.choice(population, size=n_rows, replace=False))


def _difference(remote: Array, near: Array, population: int) -> Estimate:
    """Difference of the two means over the rows that have such pairs, with its interval.

    Each mean is a ratio (sum over rows / number of rows that count), so the interval is that of the
    linearised difference, with the correction for a finite population.
    """
    n = len(remote)
    exact = n == population
    has_remote, has_near = ~np.isnan(remote), ~np.isnan(near)
    if not (has_remote.any() and has_near.any()):
        return Estimate(math.nan, n=n, exact=exact)
    remote_mean, near_mean = remote[has_remote].mean(), near[has_near].mean()
    value = float(remote_mean - near_mean)
    if exact:
        return Estimate(value, n=n)
    influence = np.zeros(n)
    influence[has_remote] += (remote[has_remote] - remote_mean) / has_remote.mean()
    influence[has_near] -= (near[has_near] - near_mean) / has_near.mean()
    spread = float(influence.std(ddof=1)) * math.sqrt((1 - n / population) / n)
    return Estimate(value, n=n, ci=Z95 * spread, exact=False)
