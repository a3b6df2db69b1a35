"""Normalised adjacency matrices, independent of any engine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import DTypeLike, NDArray


@dataclass(frozen=True)
class SparseMatrix:
    """A binary adjacency in CSR form, scaled on both sides: a_ij = row_scale[i] * col_scale[j].

    Every normalisation of this project has that form, and an engine that scales rows before and after
    an unweighted sum is several times faster than one that reads a weight an edge.

    Attributes:
        indptr: (n + 1,) int32; indices: (nnz,) int32, sorted within a row.
        row_scale, col_scale: (n,) float64.
        symmetric: whether the matrix equals its transpose, so that an engine may reuse it backwards.
    """

    indptr: NDArray[np.int32]
    indices: NDArray[np.int32]
    row_scale: NDArray[np.float64]
    col_scale: NDArray[np.float64]
    symmetric: bool

    @property
    def n(self) -> int:
        return len(self.row_scale)

    @property
    def nnz(self) -> int:
        return len(self.indices)

    @property
    def values(self) -> NDArray[np.float64]:
        """a_ij of every stored entry, (nnz,) float64."""
        rows = np.repeat(self.row_scale, np.diff(self.indptr))
        return rows * self.col_scale[self.indices]

    def to_scipy(self, dtype: DTypeLike = np.float32) -> sp.csr_array:
        """The matrix as a SciPy CSR array, (n, n)."""
        return sp.csr_array(
            (self.values.astype(dtype), self.indices, self.indptr), shape=(self.n, self.n)
        )

    def transpose(self) -> SparseMatrix:
        """The transpose; the matrix itself where it is symmetric."""
        if self.symmetric:
            return self
        ones = np.ones(self.nnz, dtype=np.int8)
        flipped = sp.csr_array((ones, self.indices, self.indptr), shape=(self.n, self.n)).T.tocsr()
        return _scaled(flipped, self.col_scale, self.row_scale, symmetric=False)


def inverse_root(degrees: NDArray[np.integer]) -> NDArray[np.float64]:
    """d^-1/2, and 0 for a degree of 0; (n,) -> (n,)."""
    scale = np.zeros(len(degrees))
    np.power(degrees, -0.5, out=scale, where=degrees > 0)
    return scale


def symmetric_normalize(adjacency: sp.csr_array, *, symmetric: bool) -> SparseMatrix:
    """D^-1/2 A D^-1/2 with the ROW degree on both sides.

    A node of degree 0 has a zero row (and, where A is symmetric, a zero column). On a directed graph
    (item kNN) a column keeps the row degree of its own node.

    Args:
        adjacency: binary, (n, n).
        symmetric: whether ``adjacency`` is symmetric; then so is the result.
    """
    scale = inverse_root(np.diff(adjacency.indptr))
    return _scaled(adjacency, scale, scale, symmetric=symmetric)


def row_normalize(adjacency: sp.csr_array) -> SparseMatrix:
    """D^-1 A: every row becomes the mean over its neighbours; a node of degree 0 has a zero row.

    Args:
        adjacency: binary, (n, n).
    """
    scale = inverse_root(np.diff(adjacency.indptr)) ** 2
    return _scaled(adjacency, scale, np.ones_like(scale), symmetric=False)


def with_self_loops(adjacency: sp.csr_array) -> sp.csr_array:
    """A + I of a binary (n, n) matrix without a diagonal, so that every node is its own neighbour."""
    return sp.csr_array(adjacency + sp.eye_array(adjacency.shape[0], dtype=adjacency.dtype))


def _scaled(
    adjacency: sp.csr_array,
    row_scale: NDArray[np.float64],
    col_scale: NDArray[np.float64],
    *,
    symmetric: bool,
) -> SparseMatrix:
    adjacency.sort_indices()
    return SparseMatrix(
        indptr=adjacency.indptr.astype(np.int32),
        indices=adjacency.indices.astype(np.int32),
        row_scale=row_scale,
        col_scale=col_scale,
        symmetric=symmetric,
    )
