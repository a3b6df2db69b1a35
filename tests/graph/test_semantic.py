"""Cosine kNN against a brute-force sort; the approximate index and its recall; the graph by hand."""

from __future__ import annotations

import inspect
import logging
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from rednd_core import cosine
from rednd_core.cache import ArrayCache
from rednd_core.errors import ConfigError
from rednd_core.graph import nearest, semantic
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
    assert_nearest(features, cosine_knn(features, k).rows, k)


def test_a_neighbour_is_judged_by_direction_not_by_length() -> None:
    features = np.array([[1, 0], [100, 1], [0.9, 0.9], [0, 5]], dtype=np.float32)
    np.testing.assert_array_equal(cosine_knn(features, 2).rows, [[0, 1], [1, 0], [2, 1], [3, 2]])


@pytest.mark.parametrize("rows_a_chunk", [1, 7, 49])
def test_chunks_change_nothing(features: np.ndarray, monkeypatch, rows_a_chunk: int) -> None:
    whole = cosine_knn(features, 6).rows
    monkeypatch.setattr(cosine, "COSINES_A_BLOCK", rows_a_chunk * len(features))
    np.testing.assert_array_equal(cosine_knn(features, 6).rows, whole)


def test_more_neighbours_than_items(features: np.ndarray) -> None:
    found = cosine_knn(features[:4], 10).rows
    assert_nearest(features[:4], found, 4)


def test_duplicates_and_zero_rows(features: np.ndarray) -> None:
    """Twenty equal rows: each still counts itself. A zero row is cosine 0 to all, itself included."""
    features[10:30] = features[10] * np.linspace(0.1, 9, 20, dtype=np.float32)[:, None]
    features[40:42] = 0
    found = cosine_knn(features, 4).rows
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


def index_of(propose, seen=None):
    """A stand-in for PyNNDescent, whose compilation takes a minute: ``propose(data, k)`` is its graph."""

    def build(data, *, metric, n_neighbors, random_state, low_memory):
        if seen is not None:
            seen.append((len(data), metric, n_neighbors))
        return SimpleNamespace(neighbor_graph=(propose(data, n_neighbors).astype(np.int32), None))

    return SimpleNamespace(NNDescent=build)


def nearest_first(data: np.ndarray, k: int) -> np.ndarray:
    return np.argsort(-cosines(data), axis=1, kind="stable")[:, :k]


def random_rows(data: np.ndarray, k: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.stack([rng.choice(len(data), k, replace=False) for _ in data])


@pytest.fixture
def many() -> np.ndarray:
    return np.random.default_rng(2).normal(size=(300, 6)).astype(np.float32)


@pytest.fixture
def low(monkeypatch) -> None:
    """Search 300 rows as if they were more than 200,000."""
    monkeypatch.setattr(semantic, "EXACT_ROWS", 299)


@pytest.mark.usefixtures("low")
def test_beyond_the_limit_an_index_proposes_and_exact_cosines_choose(many, monkeypatch, caplog):
    seen: list[tuple] = []
    monkeypatch.setitem(sys.modules, "pynndescent", index_of(nearest_first, seen))
    with caplog.at_level(logging.WARNING, semantic.__name__):
        found = cosine_knn(many, 5)
    assert seen == [(300, "cosine", 30)]  # more proposals than neighbours
    assert_nearest(many, found.rows, 5)
    assert (found.recall, found.n_sampled) == (1.0, 300)
    assert caplog.messages == ["approximate 5 nearest of 300 rows: recall 1.000 on 300 of 300 rows"]


@pytest.mark.usefixtures("low")
def test_proposals_are_ranked_by_their_own_cosines(many, monkeypatch):
    """An index that orders its proposals badly, and leaves the row itself out, costs nothing."""

    def reversed_order(data, k):
        return nearest_first(data, k + 1)[:, :0:-1]

    monkeypatch.setitem(sys.modules, "pynndescent", index_of(reversed_order))
    assert_nearest(many, cosine_knn(many, 5).rows, 5)


@pytest.mark.usefixtures("low")
def test_the_recall_is_that_of_what_was_found(many, monkeypatch):
    monkeypatch.setitem(sys.modules, "pynndescent", index_of(random_rows))
    found = cosine_knn(many, 5)
    exact = nearest_first(many, 5)
    hits = [len({*a[1:]} & {*b[1:]}) for a, b in zip(found.rows.tolist(), exact, strict=True)]
    assert found.recall == pytest.approx(sum(hits) / (300 * 4), abs=1e-6)
    assert found.recall < 0.3
    monkeypatch.setattr(nearest, "SAMPLE", 100)
    sampled = cosine_knn(many, 5)
    assert sampled.n_sampled == 100
    assert sampled.recall == pytest.approx(found.recall, abs=0.06)


@pytest.mark.usefixtures("low")
def test_rows_that_the_index_lost_are_searched_exactly(many, monkeypatch):
    def with_holes(data, k):
        graph = nearest_first(data, k)
        graph[17, 3:] = -1
        graph[18] = -1
        return graph

    monkeypatch.setitem(sys.modules, "pynndescent", index_of(with_holes))
    assert_nearest(many, cosine_knn(many, 5).rows, 5)


@pytest.mark.usefixtures("low")
@pytest.mark.parametrize("k", [1, 2, 40, 300, 999])
def test_any_k_by_the_index(many, monkeypatch, k):
    monkeypatch.setitem(sys.modules, "pynndescent", index_of(nearest_first))
    assert_nearest(many, cosine_knn(many, k).rows, min(k, 300))


@pytest.mark.usefixtures("low")
def test_duplicates_by_the_index_count_as_found(many, monkeypatch):
    """Of 200 equal rows any are right: the recall compares cosines, not numbers."""
    many[50:250] = many[50] * np.linspace(0.1, 9, 200, dtype=np.float32)[:, None]
    monkeypatch.setitem(
        sys.modules,
        "pynndescent",
        index_of(lambda data, k: 299 - nearest_first(data[::-1], k)[::-1]),
    )
    assert cosine_knn(many, 5).recall == 1.0


def test_up_to_the_limit_no_index_is_asked(many, monkeypatch, caplog):
    monkeypatch.setattr(semantic, "EXACT_ROWS", 300)
    monkeypatch.setitem(sys.modules, "pynndescent", None)  # importing it would raise
    assert cosine_knn(many, 5).sentence == "exact 5 nearest of 300 rows"
    assert caplog.messages == []


def test_the_library_has_what_is_asked_of_it() -> None:
    from pynndescent import NNDescent

    asked = {"data", "metric", "n_neighbors", "random_state", "low_memory"}
    assert asked <= set(inspect.signature(NNDescent).parameters)
    assert isinstance(inspect.getattr_static(NNDescent, "neighbor_graph"), property)


@pytest.fixture
def kept(tmp_path, monkeypatch) -> ArrayCache:
    """An empty cache that also small searches use."""
    monkeypatch.setattr(semantic, "CACHED_ROWS", 0)
    return ArrayCache(tmp_path / "cache")


def count_searches(monkeypatch) -> list[int]:
    searches: list[int] = []
    real = semantic.exact_nearest

    def counted(features, k):
        searches.append(k)
        return real(features, k)

    monkeypatch.setattr(semantic, "exact_nearest", counted)
    return searches


def test_neighbours_are_searched_once(kept: ArrayCache, monkeypatch) -> None:
    searches = count_searches(monkeypatch)
    features = np.random.default_rng(5).normal(size=(40, 6)).astype(np.float32)
    first, again = (semantic_graph(features, 4, kept) for _ in range(2))
    assert searches == [4]
    np.testing.assert_array_equal(first.to_scipy().toarray(), again.to_scipy().toarray())
    assert_nearest(features, cosine_knn(features, 4, kept).rows, 4)
    other = features.copy()
    other[3, 2] += 1
    for changed, k in ((other, 4), (features, 5), (features[:39], 4)):
        assert_nearest(changed, cosine_knn(changed, k, kept).rows, k)
    assert searches == [4, 4, 5, 4]


@pytest.mark.parametrize(
    "damage",
    [
        {"rows": np.full((40, 4), 40)},
        {"rows": np.full((40, 4), -1)},
        {"rows": np.zeros((40, 3), np.int64)},
        {"rows": np.zeros((40, 4), np.float64)},
        {"more": np.zeros(1)},
    ],
)
def test_a_damaged_entry_is_searched_anew(kept: ArrayCache, monkeypatch, damage) -> None:
    features = np.random.default_rng(5).normal(size=(40, 6)).astype(np.float32)
    cosine_knn(features, 4, kept)
    (entry,) = kept.root.glob("*.npz")
    kept.put(entry.stem, dict(np.load(entry)) | damage)
    searches = count_searches(monkeypatch)
    assert_nearest(features, cosine_knn(features, 4, kept).rows, 4)
    assert searches == [4]


def test_an_approximate_search_keeps_its_recall(kept: ArrayCache, monkeypatch) -> None:
    monkeypatch.setattr(semantic, "EXACT_ROWS", 10)
    features = np.random.default_rng(5).normal(size=(300, 6)).astype(np.float32)
    first, again = (cosine_knn(features, 4, kept) for _ in range(2))
    assert (again.recall, again.n_sampled) == (first.recall, first.n_sampled)
    assert again.n_sampled == 300
    np.testing.assert_array_equal(again.rows, first.rows)


def test_small_searches_leave_the_cache_alone(tmp_path) -> None:
    cache = ArrayCache(tmp_path / "cache")
    semantic_graph(np.eye(5, dtype=np.float32), 2, cache)
    assert not cache.root.exists()
