"""Scaling by hand, and against dense D^-1/2 A D^-1/2."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from rednd_core.graph.normalize import (
    SparseMatrix,
    row_normalize,
    symmetric_normalize,
    with_self_loops,
)


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


def three_users_three_items() -> sp.csr_array:
    """u0-i0, u0-i1, u1-i1, u2-i1; i2 stands alone. Degrees 2, 1, 1, 1, 3, 0."""
    dense = np.zeros((6, 6))
    for user, item in [(0, 3), (0, 4), (1, 4), (2, 4)]:
        dense[user, item] = dense[item, user] = 1
    return csr(dense)


def by_hand(entries: dict[tuple[int, int], float]) -> np.ndarray:
    dense = np.zeros((6, 6))
    for place, value in entries.items():
        dense[place] = value
    return dense


def test_symmetric_three_by_three() -> None:
    """1 / sqrt(d_u d_i): 1 / sqrt 2, 1 / sqrt 6, and 1 / sqrt 3 twice."""
    found = symmetric_normalize(three_users_three_items(), symmetric=True)
    edges = {(0, 3): 2, (0, 4): 6, (1, 4): 3, (2, 4): 3}
    expected = by_hand({place: d**-0.5 for place, d in edges.items()})
    np.testing.assert_allclose(found.to_scipy(np.float64).toarray(), expected + expected.T)
    assert found.symmetric


def test_symmetric_three_by_three_with_self_loops() -> None:
    """Degrees with loops 3, 2, 2, 2, 4, 1."""
    looped = with_self_loops(three_users_three_items())
    found = symmetric_normalize(looped, symmetric=True).to_scipy(np.float64).toarray()
    edges = {(0, 3): 6, (0, 4): 12, (1, 4): 8, (2, 4): 8}
    expected = by_hand({place: d**-0.5 for place, d in edges.items()})
    loops = np.diag([1 / 3, 1 / 2, 1 / 2, 1 / 2, 1 / 4, 1])
    np.testing.assert_allclose(found, expected + expected.T + loops)


def test_rows_three_by_three() -> None:
    """Means over neighbours: halves for u0, thirds for i1, ones for the others, nothing for i2."""
    found = row_normalize(three_users_three_items())
    expected = by_hand(
        {(0, 3): 1 / 2, (0, 4): 1 / 2, (1, 4): 1, (2, 4): 1, (3, 0): 1}
        | {(4, user): 1 / 3 for user in range(3)}
    )
    np.testing.assert_allclose(found.to_scipy(np.float64).toarray(), expected, rtol=1e-15)
    flipped = found.transpose().to_scipy(np.float64).toarray()
    np.testing.assert_allclose(flipped, expected.T, rtol=1e-15)


def test_rows_three_by_three_with_self_loops() -> None:
    found = row_normalize(with_self_loops(three_users_three_items())).to_scipy(np.float64)
    expected = by_hand(
        {(0, 0): 1 / 3, (0, 3): 1 / 3, (0, 4): 1 / 3, (1, 1): 1 / 2, (1, 4): 1 / 2}
        | {(2, 2): 1 / 2, (2, 4): 1 / 2, (3, 0): 1 / 2, (3, 3): 1 / 2, (5, 5): 1}
        | {(4, node): 1 / 4 for node in (0, 1, 2, 4)}
    )
    np.testing.assert_allclose(found.toarray(), expected, rtol=1e-15)


def test_published_products() -> None:
    """x = 1..5 on u0-i0, u0-i1, u1-i1, i2: facts of LightGCN's, LATTICE's and DiffMM's matrices."""
    dense = np.zeros((5, 5))
    for user, item in [(0, 2), (0, 3), (1, 3)]:
        dense[user, item] = dense[item, user] = 1
    graph, x = csr(dense), np.arange(1.0, 6)
    symmetric = symmetric_normalize(graph, symmetric=True).to_scipy(np.float64)
    np.testing.assert_allclose(
        symmetric @ x, [4.121320, 2.828427, 0.707107, 1.914214, 0], atol=1e-6
    )
    rows = row_normalize(with_self_loops(graph)).to_scipy(np.float64)
    np.testing.assert_allclose(rows @ x, [2.666667, 3, 2, 2.333333, 5], atol=1e-6)

    other = csr([[0, 0, 1, 0], [0, 0, 1, 1], [1, 1, 0, 0], [0, 1, 0, 0]])
    looped = symmetric_normalize(with_self_loops(other), symmetric=True).to_scipy(np.float64)
    expected = [1.724745, 3.299660, 2.074915, 2.816497]
    np.testing.assert_allclose(looped @ np.arange(1.0, 5), expected, atol=1e-6)


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
