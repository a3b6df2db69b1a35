"""Scaling by hand, and against dense D^-1/2 A D^-1/2."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from rednd_core.graph.normalize import SparseMatrix, symmetric_normalize


def csr(dense) -> sp.csr_array:
    return sp.csr_array(np.asarray(dense, dtype=np.float32))


def test_symmetric_literal() -> None:
    """A path of three nodes: degrees 1, 2, 1."""
    matrix = symmetric_normalize(csr([[0, 1, 0], [1, 0, 1], [0, 1, 0]]), symmetric=True)
    h = 1 / np.sqrt(2)
    expected = [[0, h, 0], [h, 0, h], [0, h, 0]]
    np.testing.assert_allclose(matrix.to_scipy(np.float64).toarray(), expected, rtol=1e-15)
    assert (matrix.n, matrix.nnz) == (3, 4)


def test_directed_graph_uses_the_row_degree_on_both_sides() -> None:
    """Row degrees 2, 1, 4 -> a_ij = 1 / sqrt(r_i r_j), whatever the column sums are."""
    adjacency = csr([[1, 1, 0, 0], [0, 1, 0, 0], [1, 1, 1, 1], [0, 0, 0, 0]])
    dense = symmetric_normalize(adjacency, symmetric=False).to_scipy(np.float64).toarray()
    half = 0.5
    s = 1 / np.sqrt(2)
    e = 1 / np.sqrt(8)
    # Column 3 is zero: node 3 has row degree 0, although row 2 points at it.
    expected = [[half, s, 0, 0], [0, 1, 0, 0], [e, half, 0.25, 0], [0, 0, 0, 0]]
    np.testing.assert_allclose(dense, expected, rtol=1e-15)


@pytest.mark.parametrize("symmetric", [True, False])
def test_transpose(symmetric: bool) -> None:
    rng = np.random.default_rng(0)
    dense = (rng.random((9, 9)) < 0.3).astype(np.float32)
    dense[4] = 0
    if symmetric:
        dense = np.maximum(dense, dense.T)
    matrix = symmetric_normalize(csr(dense), symmetric=symmetric)
    flipped = matrix.transpose()
    assert (flipped is matrix) == symmetric
    np.testing.assert_array_equal(
        flipped.to_scipy(np.float64).toarray(), matrix.to_scipy(np.float64).toarray().T
    )


def test_transpose_swaps_the_scales() -> None:
    matrix = SparseMatrix(
        indptr=np.array([0, 2, 2, 3], dtype=np.int32),
        indices=np.array([0, 2, 1], dtype=np.int32),
        row_scale=np.array([1.0, 2, 3]),
        col_scale=np.array([5.0, 7, 11]),
        symmetric=False,
    )
    expected = [[5, 0, 0], [0, 0, 21], [11, 0, 0]]
    np.testing.assert_array_equal(matrix.transpose().to_scipy().toarray(), expected)


def test_stored_in_32_bits_with_sorted_rows() -> None:
    unsorted = sp.csr_array(
        (np.ones(3, np.float32), np.array([2, 0, 1]), np.array([0, 2, 3, 3])), shape=(3, 3)
    )
    matrix = symmetric_normalize(unsorted, symmetric=False)
    assert matrix.indptr.dtype == matrix.indices.dtype == np.int32
    assert matrix.row_scale.dtype == matrix.values.dtype == np.float64
    assert matrix.to_scipy().dtype == np.float32
    np.testing.assert_array_equal(matrix.indices, [0, 2, 1])


def test_values_stay_as_exact_as_doubles() -> None:
    """Degree 3 has no exact root: the product of two float32 roots would be off by 1e-8."""
    matrix = symmetric_normalize(csr(np.ones((3, 3))), symmetric=True)
    np.testing.assert_allclose(matrix.values, 1 / 3, rtol=1e-15)
