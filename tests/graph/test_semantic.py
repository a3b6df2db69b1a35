"""Cosine kNN against a brute-force sort; the normalised graph by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rednd_core.errors import ConfigError
from rednd_core.graph import semantic
from rednd_core.graph.semantic import cosine_knn, semantic_graph


def cosines(features: np.ndarray) -> np.ndarray:
    wide = features.astype(np.float64)
    norms = np.linalg.norm(wide, axis=1, keepdims=True)
    unit = np.divide(wide, norms, out=np.zeros_like(wide), where=norms > 0)
    return unit @ unit.T


def assert_nearest(features: np.ndarray, found: np.ndarray, k: int) -> None:
    """Same similarities as a full sort (the rows themselves may differ among equals)."""
    similar = cosines(features)
    np.fill_diagonal(similar, 2.0)
    want = -np.sort(-similar, axis=1)[:, :k]
    assert found.shape == want.shape
    np.testing.assert_allclose(np.take_along_axis(similar, found, axis=1), want, atol=1e-6)
    assert all(len(set(row)) == k for row in found.tolist())
    np.testing.assert_array_equal(found[:, 0], np.arange(len(features)))


@pytest.fixture
def features() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(50, 7)).astype(np.float32)


@pytest.mark.parametrize("k", [1, 5, 50])
def test_brute_force(features: np.ndarray, k: int) -> None:
    assert_nearest(features, cosine_knn(features, k), k)


def test_a_neighbour_is_judged_by_direction_not_by_length() -> None:
    features = np.array([[1, 0], [100, 1], [0.9, 0.9], [0, 5]], dtype=np.float32)
    np.testing.assert_array_equal(cosine_knn(features, 2), [[0, 1], [1, 0], [2, 1], [3, 2]])


@pytest.mark.parametrize("rows_a_chunk", [1, 7, 49])
def test_chunks_change_nothing(features: np.ndarray, monkeypatch, rows_a_chunk: int) -> None:
    whole = cosine_knn(features, 6)
    monkeypatch.setattr(semantic, "_CHUNK_SCORES", rows_a_chunk * len(features))
    np.testing.assert_array_equal(cosine_knn(features, 6), whole)


def test_more_neighbours_than_items(features: np.ndarray) -> None:
    found = cosine_knn(features[:4], 10)
    assert_nearest(features[:4], found, 4)


def test_duplicates_and_zero_rows(features: np.ndarray) -> None:
    """Twenty equal rows: each still counts itself. A zero row is cosine 0 to all, itself included."""
    features[10:30] = features[10] * np.linspace(0.1, 9, 20, dtype=np.float32)[:, None]
    features[40:42] = 0
    found = cosine_knn(features, 4)
    assert_nearest(features, found, 4)
    assert set(found[10:30].ravel()) <= set(range(10, 30))


def test_impossible_k(features: np.ndarray) -> None:
    with pytest.raises(ConfigError, match="Expected knn_k of at least 1, but found 0"):
        cosine_knn(features, 0)


def test_graph_literal() -> None:
    """Four items on a circle, k = 2: every row has two ones, so every entry is 1/2."""
    angles = np.deg2rad([0, 10, 30, 90])
    features = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    graph = semantic_graph(features, 2)
    expected = np.array([[1, 1, 0, 0], [1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]]) / 2
    np.testing.assert_allclose(graph.to_scipy(np.float64).toarray(), expected, rtol=1e-15)
    assert not graph.symmetric


def test_graph_depends_on_features_and_k(features: np.ndarray) -> None:
    """No cache stands in between: other features, another graph."""
    before = semantic_graph(features, 3).indices.copy()
    assert len(semantic_graph(features, 4).indices) == 200
    features[:] = features[::-1]
    assert (semantic_graph(features, 3).indices != before).any()
