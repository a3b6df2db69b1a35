"""Hop distances against SciPy's shortest paths; connecting paths against enumeration."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.csgraph import shortest_path

from rednd_core.errors import DataError
from rednd_core.graph.khop import connecting_paths, hop_distances, reach_masks


def bipartite(ratings: np.ndarray) -> sp.csr_array:
    matrix = sp.csr_array(ratings.astype(np.float32))
    return sp.csr_array(sp.block_array([[None, matrix], [matrix.T, None]], format="csr"))


def random_adjacency(n_users: int, n_items: int, density: float, seed: int) -> sp.csr_array:
    return bipartite(np.random.default_rng(seed).random((n_users, n_items)) < density)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("max_hop", [0, 1, 2, 5, 9])
def test_distances_equal_shortest_paths(seed, max_hop):
    """Sparse enough for isolated nodes and several components; 90 seeds need two words."""
    adjacency = random_adjacency(60, 45, 0.025, seed)
    expected = shortest_path(adjacency, unweighted=True)
    assert np.isinf(expected).any()
    seeds = np.random.default_rng(seed).permutation(105)[:90]
    actual = hop_distances(adjacency, seeds, max_hop)
    assert actual.dtype == np.int8
    beyond = expected[seeds] > max_hop
    assert np.array_equal(actual, np.where(beyond, -1, expected[seeds]).astype(int))


@pytest.mark.parametrize(("first", "last"), [(0, 60), (60, 105), (20, 23), (64, 65)])
def test_seeds_of_one_side(first, last):
    """They reach one side a hop, until nothing new is reached."""
    adjacency = random_adjacency(60, 45, 0.04, 5)
    expected = shortest_path(adjacency, unweighted=True)[first:last]
    radii = (0, 1, 2, 3, 4, 30)
    masks = reach_masks(adjacency, np.arange(first, last), radii)
    for radius, mask in zip(radii, masks, strict=True):
        assert np.array_equal(mask, expected <= radius)


def test_more_seeds_than_a_batch():
    adjacency = random_adjacency(400, 300, 0.006, 1)
    actual = hop_distances(adjacency, np.arange(700), 6)
    expected = shortest_path(adjacency, unweighted=True)
    assert np.array_equal(actual, np.where(expected > 6, -1, expected).astype(int))


def test_a_path_graph_by_hand():
    adjacency = bipartite(np.array([[1, 0], [1, 1], [0, 0]]))  # u0 - i0 - u1 - i1, u2 alone
    assert hop_distances(adjacency, [0, 2], 3).tolist() == [[0, 2, -1, 1, 3], [-1, -1, 0, -1, -1]]
    assert hop_distances(adjacency, 0, 2).tolist() == [[0, 2, -1, 1, -1]]
    assert hop_distances(adjacency, [1, 1], 1).tolist() == [[-1, 0, -1, 1, 1]] * 2
    assert hop_distances(adjacency, [], 2).shape == (0, 5)


def test_a_graph_without_edges():
    assert hop_distances(bipartite(np.zeros((2, 1))), [1], 4).tolist() == [[-1, 0, -1]]


def test_masks_contain_everything_within_the_radius():
    adjacency = random_adjacency(50, 40, 0.04, 3)
    distances = shortest_path(adjacency, unweighted=True)
    seeds = [7, 60, 7, 0]
    for radius, mask in zip((4, 0, 2), reach_masks(adjacency, seeds, (4, 0, 2)), strict=True):
        assert mask.dtype == bool
        assert np.array_equal(mask, distances[seeds] <= radius)


def test_seeds_and_radii_outside_the_graph_raise():
    adjacency = bipartite(np.ones((2, 2)))
    for seeds in ([-1], [4]):
        with pytest.raises(DataError, match="between 0 and 3"):
            hop_distances(adjacency, seeds, 2)
    with pytest.raises(DataError, match="max_hop between 0 and 126"):
        hop_distances(adjacency, [0], 127)
    with pytest.raises(DataError, match="radius"):
        reach_masks(adjacency, [0], [-1])


def enumerate_paths(ratings: np.ndarray, user: int, item: int) -> list[tuple[float, int, int]]:
    by_user, by_item = ratings.sum(axis=1), ratings.sum(axis=0)
    found = []
    for via_item in range(ratings.shape[1]):
        for via_user in range(ratings.shape[0]):
            edges = [(user, via_item), (via_user, via_item), (via_user, item)]
            if via_item != item and via_user != user and all(ratings[edge] for edge in edges):
                weight = math.prod(1 / math.sqrt(by_user[u] * by_item[i]) for u, i in edges)
                found.append((-weight, via_item, via_user))
    return sorted(found)


@pytest.mark.parametrize("seed", range(5))
def test_paths_equal_the_enumeration(seed):
    ratings = np.random.default_rng(seed).random((12, 9)) < 0.35
    adjacency = bipartite(ratings)
    for user, item in [(0, 0), (3, 5), (11, 8)]:
        expected = enumerate_paths(ratings, user, item)
        found = connecting_paths(adjacency, 12, user, item, max_paths=1000)
        assert found.n_paths == len(found.paths) == len(expected)
        weights = [path.weight for path in found.paths]
        assert weights == pytest.approx([-weight for weight, _, _ in expected], rel=1e-12)
        assert {(path.via_item, path.via_user) for path in found.paths} == {
            (via_item, via_user) for _, via_item, via_user in expected
        }
        assert found.total_weight == pytest.approx(sum(weights))
        first = connecting_paths(adjacency, 12, user, item, max_paths=2)
        assert first.paths == found.paths[:2]
        assert (first.n_paths, first.total_weight) == (found.n_paths, found.total_weight)


def test_the_weights_add_up_to_the_third_power():
    """For an item without a direct edge, the paths are all of the model's three-hop signal."""
    ratings = np.random.default_rng(9).random((12, 9)) < 0.6
    ratings[4, 6] = False
    adjacency = bipartite(ratings)
    dense = adjacency.toarray()
    scale = 1 / np.sqrt(np.maximum(dense.sum(axis=1), 1))
    cubed = np.linalg.matrix_power(scale[:, None] * dense * scale, 3)
    found = connecting_paths(adjacency, 12, 4, 6, max_paths=3)
    assert found.total_weight == pytest.approx(cubed[4, 12 + 6], rel=1e-6)
    assert found.n_paths > 3


def test_no_path_and_direct_edges():
    adjacency = bipartite(np.array([[1, 0, 0], [1, 1, 0], [0, 0, 1]]))
    assert connecting_paths(adjacency, 3, 0, 2, 5).paths == ()  # another component
    assert connecting_paths(adjacency, 3, 0, 0, 5).n_paths == 0  # only the direct edge
    only = connecting_paths(adjacency, 3, 0, 1, 5).paths
    assert [(path.via_item, path.via_user) for path in only] == [(0, 1)]
    # d(u0) d(i0)^2 d(u1)^2 d(i1) = 1 * 4 * 4 * 1
    assert only[0].weight == pytest.approx(1 / 4)


def test_unknown_nodes_raise():
    adjacency = bipartite(np.ones((2, 3)))
    with pytest.raises(DataError, match="user between 0 and 1"):
        connecting_paths(adjacency, 2, 2, 0, 5)
    with pytest.raises(DataError, match="item between 0 and 2"):
        connecting_paths(adjacency, 2, 0, 3, 5)
