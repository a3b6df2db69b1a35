"""The user-item graph, by hand."""

from __future__ import annotations

import numpy as np

from rednd_core.data.schema import Interactions
from rednd_core.graph.bipartite import bipartite_graph


def three_by_three():
    """u0 - i0, u0 - i1, u1 - i1; u2 and i2 are isolated."""
    return bipartite_graph(Interactions(np.array([1, 0, 0]), np.array([1, 1, 0])), 3, 3)


def test_hand_computed() -> None:
    graph = three_by_three()
    h = 1 / np.sqrt(2)
    expected = np.zeros((6, 6))
    expected[0, 3] = expected[3, 0] = h  # degrees 2 and 1
    expected[0, 4] = expected[4, 0] = 0.5  # degrees 2 and 2
    expected[1, 4] = expected[4, 1] = h  # degrees 1 and 2
    np.testing.assert_allclose(
        graph.norm_adj.to_scipy(np.float64).toarray(), expected, rtol=1e-15, atol=0
    )
    np.testing.assert_array_equal(graph.adjacency.toarray(), expected > 0)
    np.testing.assert_array_equal(graph.degrees, [2, 1, 0, 1, 2, 0])
    assert graph.degrees.dtype == np.int64
    assert (graph.n_nodes, graph.norm_adj.symmetric) == (6, True)


def test_both_directions_and_no_self_loop() -> None:
    adjacency = three_by_three().adjacency
    assert (adjacency != adjacency.T).nnz == 0
    assert not adjacency.diagonal().any()
    assert not adjacency[:3, :3].nnz
    assert not adjacency[3:, 3:].nnz


def test_the_connected_part_is_the_graph_without_isolated_nodes() -> None:
    graph = three_by_three()
    part, kept = graph.connected, [0, 1, 3, 4]
    assert (part.n_users, part.n_items, part.degrees.tolist()) == (2, 2, [2, 1, 1, 2])
    for matrix, whole in (
        (part.adjacency, graph.adjacency),
        (part.norm_adj.to_scipy(np.float64), graph.norm_adj.to_scipy(np.float64)),
    ):
        np.testing.assert_array_equal(matrix.toarray(), whole.toarray()[np.ix_(kept, kept)])
    assert part.connected is part


def test_an_isolated_user_and_no_edge_at_all() -> None:
    first = bipartite_graph(Interactions(np.array([1]), np.array([0])), 2, 1).connected
    np.testing.assert_array_equal(first.adjacency.toarray(), [[0, 1], [1, 0]])
    nobody = np.empty(0, np.int64)
    assert bipartite_graph(Interactions(nobody, nobody), 2, 1).connected.n_nodes == 0


def test_spectrum_lies_in_minus_one_to_one(planted) -> None:
    """D^-1/2 A D^-1/2 of two bipartite components has the eigenvalues 1 and -1, each twice."""
    graph = bipartite_graph(planted.train, planted.n_users, planted.n_items)
    values = np.linalg.eigvalsh(graph.norm_adj.to_scipy(np.float64).toarray())
    np.testing.assert_allclose(values[[0, 1, -2, -1]], [-1, -1, 1, 1], atol=1e-12)
    assert abs(values[2]) < 0.999
