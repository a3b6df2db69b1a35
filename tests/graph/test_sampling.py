"""Edge dropout: the same matrix as a graph built anew, and draws with the promised probabilities."""

from __future__ import annotations

import numpy as np
import pytest

from rednd_core.data.schema import Interactions
from rednd_core.errors import DataError
from rednd_core.graph.bipartite import BipartiteGraph, bipartite_graph
from rednd_core.graph.sampling import degree_weights, draw_edges, normalized_subset


def random_graph(seed: int, share: float = 0.3) -> BipartiteGraph:
    """14 users and 11 items in random order; the last user and the last item have no edge."""
    rng = np.random.default_rng(seed)
    users, items = np.nonzero(rng.random((13, 10)) < share)
    order = rng.permutation(len(users))
    return bipartite_graph(Interactions(users[order], items[order]), 14, 11)


def path_graph() -> BipartiteGraph:
    """Three users, three items: u0-i0, u0-i1, u1-i1, u2-i1; i2 is isolated."""
    return bipartite_graph(Interactions(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 1])), 3, 3)


def test_edges_are_listed_by_user_and_by_item() -> None:
    edges = path_graph().edges
    assert list(zip(edges.users, edges.items, strict=True)) == [(0, 0), (0, 1), (1, 1), (2, 1)]
    graph = random_graph(1)
    edges = graph.edges
    dense = graph.adjacency.toarray()
    expected = [(u, i) for u in range(14) for i in range(11) if dense[u, 14 + i]]
    assert list(zip(edges.users, edges.items, strict=True)) == expected
    by_item = [(edges.users[e], edges.items[e]) for e in edges.by_item]
    assert by_item == sorted(expected, key=lambda edge: (edge[1], edge[0]))


def test_subset_by_hand() -> None:
    """u0-i0 is dropped: u0 1, u1 1, u2 1, i1 3, so every weight is 1 / sqrt 3 and i0 stands alone."""
    kept = np.array([False, True, True, True])
    dense = normalized_subset(path_graph(), kept).to_scipy(np.float64).toarray()
    expected = np.zeros((6, 6))
    expected[[0, 1, 2], 4] = expected[4, [0, 1, 2]] = 1 / np.sqrt(3)
    np.testing.assert_allclose(dense, expected, rtol=1e-15)


def test_published_weights_of_a_dropped_edge() -> None:
    """Two users, three items, u0-i0 dropped (a fact of arXiv 2211.06924): both weights are .707107."""
    graph = bipartite_graph(Interactions(np.array([0, 0, 1]), np.array([0, 1, 1])), 2, 3)
    matrix = normalized_subset(graph, np.array([False, True, True]))
    np.testing.assert_allclose(matrix.values, [0.5**0.5] * 4, rtol=1e-15)
    assert not matrix.to_scipy().toarray()[2].any()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("share", [0.0, 0.2, 0.7, 1.0])
def test_subset_equals_a_graph_of_the_kept_pairs(seed: int, share: float) -> None:
    graph = random_graph(seed)
    edges = graph.edges
    kept = np.random.default_rng(seed).random(len(edges.users)) < share
    found = normalized_subset(graph, kept)
    dense = np.zeros((25, 25))
    dense[edges.users[kept], 14 + edges.items[kept]] = 1
    dense += dense.T
    degrees = dense.sum(axis=1)
    scale = np.array([d**-0.5 if d else 0 for d in degrees])
    expected = np.diag(scale) @ dense @ np.diag(scale)
    np.testing.assert_allclose(found.to_scipy(np.float64).toarray(), expected, atol=1e-14)
    assert found.symmetric
    assert found.indptr.dtype == found.indices.dtype == np.int32
    for row in range(25):
        assert (np.diff(found.indices[found.indptr[row] : found.indptr[row + 1]]) > 0).all()


def test_all_edges_give_the_whole_matrix() -> None:
    graph = random_graph(3)
    found = normalized_subset(graph, np.ones(len(graph.edges.users), dtype=bool))
    for name in ("indptr", "indices", "row_scale", "col_scale"):
        np.testing.assert_array_equal(getattr(found, name), getattr(graph.norm_adj, name))


def test_the_graph_stays_as_it_is() -> None:
    graph = random_graph(4)
    before = graph.norm_adj.indices.copy(), graph.adjacency.toarray()
    normalized_subset(graph, np.zeros(len(graph.edges.users), dtype=bool))
    np.testing.assert_array_equal(graph.norm_adj.indices, before[0])
    np.testing.assert_array_equal(graph.adjacency.toarray(), before[1])


def test_a_graph_without_edges() -> None:
    nothing = np.array([], dtype=np.int64)
    graph = bipartite_graph(Interactions(nothing, nothing), 2, 3)
    assert normalized_subset(graph, np.zeros(0, dtype=bool)).nnz == 0
    assert len(draw_edges(0, degree_weights(graph), np.random.default_rng(0))) == 0


def test_degree_weights() -> None:
    """First-draw probabilities of the edges u0-i0, u0-i1, u1-i1: .369398, .261204, .369398."""
    graph = bipartite_graph(Interactions(np.array([0, 0, 1]), np.array([0, 1, 1])), 2, 3)
    weights = degree_weights(graph)
    np.testing.assert_allclose(weights, [2**-0.5, 0.5, 2**-0.5], rtol=1e-15)
    np.testing.assert_allclose(weights / weights.sum(), [0.369398, 0.261204, 0.369398], atol=1e-6)


def test_first_draw_follows_the_weights() -> None:
    weights = np.array([0.369398, 0.261204, 0.369398, 0.0])
    rng = np.random.default_rng(1)
    counts = sum(draw_edges(1, weights, rng).astype(int) for _ in range(20_000))
    np.testing.assert_allclose(counts / 20_000, weights, atol=0.015)


def test_second_draw_is_without_replacement() -> None:
    """P(both of {0, 1}) = w0 w1 / (1 - w0) + w1 w0 / (1 - w1), written out for weights .5, .3, .2."""
    rng = np.random.default_rng(2)
    draws = np.array([draw_edges(2, np.array([0.5, 0.3, 0.2]), rng) for _ in range(20_000)])
    assert (draws.sum(axis=1) == 2).all()
    both = 0.5 * 0.3 / 0.5 + 0.3 * 0.5 / 0.7
    assert (draws[:, 0] & draws[:, 1]).mean() == pytest.approx(both, abs=0.015)


def test_draws_repeat_with_the_seed() -> None:
    weights = np.ones(50)
    first, again, other = (draw_edges(20, weights, np.random.default_rng(s)) for s in (7, 7, 8))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.parametrize("n_kept", [-1, 4])
def test_impossible_numbers_are_refused(n_kept: int) -> None:
    with pytest.raises(DataError, match="between 0 and 3 edges"):
        draw_edges(n_kept, np.array([1.0, 2.0, 0.0, 3.0]), np.random.default_rng(0))


@pytest.mark.parametrize("wrong", [-1.0, np.nan, np.inf])
def test_impossible_weights_are_refused(wrong: float) -> None:
    with pytest.raises(DataError, match="finite weights"):
        draw_edges(1, np.array([1.0, wrong]), np.random.default_rng(0))


@pytest.mark.parametrize("kept", [np.ones(3, dtype=bool), np.array([0, 1, 1, 1])])
def test_another_mask_is_refused(kept: np.ndarray) -> None:
    with pytest.raises(DataError, match="4 booleans"):
        normalized_subset(path_graph(), kept)
