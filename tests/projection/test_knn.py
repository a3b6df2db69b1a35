from __future__ import annotations

import numpy as np
import pytest
import torch

from rednd_core import cosine
from rednd_core.errors import ConfigError, DataError
from rednd_core.projection import KNNGraph, nearest, neighbours


def brute_force(x, k):
    """Float64 distances of every pair, ties by index, the row itself first."""
    rows = np.asarray(x, dtype=np.float64)
    indices, distances = [], []
    for i, row in enumerate(rows):
        norms = np.linalg.norm(rows, axis=1) * np.linalg.norm(row)
        d = 1 - np.divide(rows @ row, norms, out=np.zeros(len(rows)), where=norms > 0)
        d[i] = -1
        order = np.argsort(d, kind="stable")[:k]
        indices.append(order)
        distances.append(d[order].clip(min=0))
    return np.array(indices), np.array(distances)


@pytest.mark.parametrize("chunk", [1, 1000, 1 << 23])
def test_equals_brute_force(chunk, monkeypatch):
    monkeypatch.setattr(cosine, "COSINES_A_BLOCK", chunk)
    x = np.random.default_rng(0).normal(size=(150, 12)).astype(np.float32)
    found = nearest(x, 9)
    indices, distances = brute_force(x, 9)
    assert np.array_equal(found.indices, indices)
    np.testing.assert_allclose(found.distances, distances, atol=1e-7)
    assert (found.indices.dtype, found.distances.dtype) == (np.int32, np.float32)


@pytest.mark.parametrize("noise", [1e-2, 1e-4, 1e-6])
def test_equals_brute_force_in_a_collapsed_layer(noise):
    """Float32 cosines differ by less than their rounding here: the float64 path must decide."""
    rng = np.random.default_rng(1)
    x = (1 + noise * rng.normal(size=(300, 8))).astype(np.float32)
    single = torch.from_numpy(x / np.linalg.norm(x, axis=1, keepdims=True))
    naive = (single @ single.T).topk(6, dim=1).indices.numpy()
    found = nearest(x, 6)
    indices, _ = brute_force(x, 6)
    same = (found.indices == indices).mean()
    assert same > (0.999 if noise > 1e-6 else 0.95)  # 1e-12 apart: float64 itself ties
    if noise <= 1e-4:
        assert (naive == indices).mean() < 0.9, "this case no longer separates the two paths"


def test_self_is_first_among_identical_rows():
    found = nearest(np.ones((5, 3), dtype=np.float32), 5)
    assert found.indices[:, 0].tolist() == [0, 1, 2, 3, 4]
    assert all(len(set(row)) == 5 for row in found.indices.tolist())
    np.testing.assert_allclose(found.distances, 0, atol=1e-12)


def test_zero_rows_are_at_distance_one_from_all():
    x = np.array([[0, 0], [1, 0], [0, 0], [2, 0.1]], dtype=np.float32)
    found = nearest(x, 4)
    assert found.distances[0].tolist() == [0, 1, 1, 1]
    assert found.indices[1, 1] == 3


def test_opposite_rows_are_at_distance_two():
    assert nearest(np.array([[1.0, 0.0], [-3.0, 0.0]]), 2).distances[:, 1].tolist() == [2, 2]


def test_bad_arguments():
    x = np.ones((4, 2))
    for k in (0, 5):
        with pytest.raises(ConfigError, match="k between 1 and"):
            nearest(x, k)


@pytest.mark.parametrize("bad", [7, -1])
def test_a_graph_with_foreign_indices_is_refused(bad):
    indices = np.array([[0, 1], [1, bad]], dtype=np.int32)
    with pytest.raises(DataError, match="kNN graph"):
        KNNGraph(indices, np.zeros((2, 2), dtype=np.float32))


@pytest.mark.parametrize("kind", [np.asarray, torch.tensor])
def test_neighbours_of_one_node(kind):
    x = kind([[1.0, 0.0], [1.0, 1.0], [0.0, 0.0], [5.0, 0.1], [-1.0, 0.0]])
    indices, cosines = neighbours(x, 0, 10)
    assert indices.tolist() == [3, 1, 2, 4]
    np.testing.assert_allclose(cosines, [5 / np.hypot(5, 0.1), 0.5**0.5, 0, -1], atol=1e-6)
    indices, _ = neighbours(x, 0, 1, candidates=[4, 2, 1, 0])
    assert indices.tolist() == [1]


def test_neighbours_agree_with_the_graph(layers):
    graph = nearest(layers[0], 11)
    for node in (0, 57, 239):
        indices, cosines = neighbours(layers[0], node, 10)
        assert indices.tolist() == graph.indices[node, 1:].tolist()
        np.testing.assert_allclose(1 - cosines, graph.distances[node, 1:], atol=1e-6)


def test_neighbours_read_a_gradient_tensor_and_refuse_foreign_nodes():
    x = torch.eye(3, requires_grad=True)
    assert len(neighbours(x, 0, 2)[0]) == 2
    for node, candidates in ((3, None), (-1, None), (0, [3]), (0, [-1])):
        with pytest.raises(DataError, match="between 0 and 2"):
            neighbours(x, node, 2, candidates)
    with pytest.raises(ConfigError, match="k of at least 1"):
        neighbours(x, 0, 0)
