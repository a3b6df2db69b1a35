from __future__ import annotations

import numpy as np
import pytest

from rednd_core.data.schema import Interactions
from rednd_core.errors import DataError
from rednd_core.graph.bipartite import bipartite_graph
from rednd_core.smoothness.agreement import neighbour_agreement, self_agreement
from rednd_core.smoothness.discrepancy import paired_cosine_distance


def graph_of(pairs: list[tuple[int, int]], n_users: int, n_items: int):
    users, items = np.array(pairs).T
    return bipartite_graph(Interactions(users, items), n_users, n_items)


def test_literal_values_and_undefined_nodes() -> None:
    # u0 - i0, i1; u1 is isolated; i2's only neighbour u2 has a zero row.
    graph = graph_of([(0, 0), (0, 1), (2, 2)], 3, 3)
    x = np.array([[1.0, 0], [1, 1], [0, 0], [3, 0], [0, 4], [1, 0]])
    found = neighbour_agreement(x, graph)
    np.testing.assert_allclose(found[[0, 3, 4]], [0.6, 1.0, 0.0], atol=1e-15)
    assert np.isnan(found[[1, 2, 5]]).all()


def test_against_a_loop() -> None:
    rng = np.random.default_rng(0)
    pairs = sorted({(int(u), int(i)) for u, i in rng.integers(0, 9, size=(40, 2))})
    graph = graph_of(pairs, 9, 9)
    x = rng.normal(size=(18, 5)).astype(np.float32)
    found = neighbour_agreement(x, graph)
    for node in range(18):
        near = [9 + i for u, i in pairs if u == node] + [u for u, i in pairs if 9 + i == node]
        if not near:
            assert np.isnan(found[node])
            continue
        mean = x[near].astype(float).mean(axis=0)
        cosine = x[node] @ mean / np.linalg.norm(x[node].astype(float)) / np.linalg.norm(mean)
        assert found[node] == pytest.approx(cosine, abs=1e-6)


def test_own_start() -> None:
    start = np.array([[1.0, 0], [1, 0], [1, 1], [0, 0]])
    later = np.array([[5.0, 0], [0, 2], [-1, -1], [1, 1]])
    found = self_agreement(later, start)
    np.testing.assert_allclose(found[:3], [1, 0, -1], atol=1e-15)
    assert np.isnan(found[3])


def test_its_mean_on_the_later_layers_is_one_minus_the_discrepancy() -> None:
    rng = np.random.default_rng(1)
    layers = rng.normal(size=(3, 10, 4))
    mean = layers[1:].mean(axis=0)
    discrepancy = paired_cosine_distance(layers[0], mean)
    assert self_agreement(mean, layers[0]).mean() == pytest.approx(1 - discrepancy)


def test_a_layer_of_another_graph_is_refused() -> None:
    with pytest.raises(DataError, match="6 rows"):
        neighbour_agreement(np.ones((5, 2)), graph_of([(0, 0)], 3, 3))
