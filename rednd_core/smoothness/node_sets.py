"""Sets of nodes, one for each of some nodes, and the mean distance of these nodes to their sets.

Sets in a large graph are nearly empty, nearly full, or neither. Few members are added up one by one;
many are all nodes less the few that are missing; the rest are a product with a mask, block by block.
"""

from __future__ import annotations

import math

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from rednd_core.cosine import Array, Matrix

_SPARSE = 1 / 24  # share of members up to which adding them up is faster than a dense product
_NODES_A_BLOCK = 8192  # of a dense product; a multiple of the 8 bits of a byte


class NodeSets:
    """Sets over ``n_nodes`` nodes, added as rows of masks."""

    def __init__(self, n_nodes: int) -> None:
        self._n_nodes = n_nodes
        self._counts = [np.empty(0, np.int64)]
        self._members = [np.empty(0, np.int32)]  # of the sets that are few, set by set
        self._bits = [np.empty((0, -(-n_nodes // 8)), np.uint8)]  # masks of the others

    def add(self, mask: NDArray[np.bool_]) -> None:
        """Sets as a mask (b, n_nodes)."""
        counts = mask.sum(axis=1)
        kept = mask ^ self._inverted(counts)[:, None]
        few = self._few(counts)
        self._counts.append(counts)
        self._members.append(np.nonzero(kept[few])[1].astype(np.int32))
        self._bits.append(np.packbits(kept[~few], axis=1))

    def _inverted(self, counts: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which sets are kept as what they miss."""
        return np.asarray(2 * counts > self._n_nodes)

    def _kept(self, counts: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.minimum(counts, self._n_nodes - counts)

    def _few(self, counts: NDArray[np.int64]) -> NDArray[np.bool_]:
        return np.asarray(self._kept(counts) <= _SPARSE * self._n_nodes)

    def distances(self, unit: Matrix, own: Matrix) -> Array:
        """Mean cosine distance of each set's own node to its members, (S,); NaN without a member.

        Pairs are counted in the mask, never by "distance is not 0": whether equal rows give exactly
        0 is decided by rounding.

        Args:
            unit: (n_nodes, d) unit rows. own: (S, d), those of the sets' own nodes.
        """
        counts = np.concatenate(self._counts)
        cosines = np.einsum("ij,ij->i", self._sums(unit, counts), own)
        return np.asarray(1.0 - cosines / np.where(counts, counts, math.nan))

    def _sums(self, x: Matrix, counts: NDArray[np.int64]) -> Array:
        """Sum of the rows of x (n_nodes, d) over each set, (S, d)."""
        few, inverted = self._few(counts), self._inverted(counts)
        found = np.empty((len(counts), x.shape[1]))
        found[few] = self._few_sums(x, self._kept(counts)[few])
        found[~few] = self._dense_sums(x)
        if inverted.any():
            found[inverted] = np.einsum("ij->j", x, dtype=np.float64) - found[inverted]
        return found

    def _few_sums(self, x: Matrix, sizes: NDArray[np.int64]) -> Matrix:
        members = np.concatenate(self._members)
        starts = np.concatenate([[0], np.cumsum(sizes)])
        ones = np.ones(len(members), dtype=x.dtype)
        indicator = sp.csr_array((ones, members, starts), shape=(len(sizes), self._n_nodes))
        return np.asarray(indicator @ x)

    def _dense_sums(self, x: Matrix) -> Array:
        masks = np.concatenate(self._bits)
        total = np.zeros((len(masks), x.shape[1]))
        for first in range(0, self._n_nodes if len(masks) else 0, _NODES_A_BLOCK):
            block = x[first : first + _NODES_A_BLOCK]
            bits = masks[:, first // 8 : (first + _NODES_A_BLOCK) // 8]
            total += np.unpackbits(bits, axis=1, count=len(block)).astype(x.dtype) @ block
        return total
