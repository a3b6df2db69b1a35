"""Node-neighbour discrepancy and deeper propagation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rednd_core.errors import ConfigError
from rednd_core.smoothness import MAX_DEPTH, propagate_depth
from rednd_core.smoothness.discrepancy import paired_cosine_distance


def test_discrepancy_equals_the_loop(rng):
    start, mean = rng.standard_normal((2, 30, 4))
    cosines = [
        a @ b / (np.linalg.norm(a) * np.linalg.norm(b)) for a, b in zip(start, mean, strict=True)
    ]
    assert paired_cosine_distance(start, mean) == pytest.approx(1 - np.mean(cosines), rel=1e-9)


def test_discrepancy_of_known_rows():
    start = np.array([[1.0, 0], [0, 2.0], [0, 0]])
    mean = np.array([[5.0, 0], [1.0, 0], [1.0, 1]])  # cosines 1, 0 and, for the zero row, 0
    assert paired_cosine_distance(start, mean) == pytest.approx(2 / 3, rel=1e-15)
    assert paired_cosine_distance(start[:1], -mean[:1]) == 2.0
    assert math.isnan(paired_cosine_distance(np.empty((0, 2)), np.empty((0, 2))))


@pytest.mark.parametrize("scale", [1e-120, 1e120])
def test_discrepancy_of_rows_of_any_length(scale):
    start, mean = np.array([[1.0, 0]]), np.array([[1.0, 1]])
    expected = pytest.approx(1 - 0.5**0.5, rel=1e-12)
    assert paired_cosine_distance(scale * start, scale * mean) == expected


def test_propagation_follows_the_dense_power(graph, rng):
    x0 = rng.standard_normal((graph.n_nodes, 3)).astype(np.float32)
    layers = propagate_depth(x0, graph, 5)
    degrees = np.maximum(graph.degrees, 1).astype(float)
    dense = graph.adjacency.toarray() / np.sqrt(np.outer(degrees, degrees))
    assert len(layers) == 6
    for k, layer in enumerate(layers):
        assert np.allclose(layer, np.linalg.matrix_power(dense, k) @ x0, rtol=1e-12, atol=1e-14)
    assert not layers[1][graph.degrees == 0].any()


def test_depth_is_bounded(graph):
    for depth in (-1, MAX_DEPTH + 1):
        with pytest.raises(ConfigError, match=f"between 0 and {MAX_DEPTH}"):
            propagate_depth(np.ones((graph.n_nodes, 2)), graph, depth)
