"""UMAP: the first fit of a process compiles for several seconds, so the fits are shared."""

from __future__ import annotations

import threading
import warnings

import numpy as np
import pytest
import umap
from sklearn.neighbors import NearestNeighbors

from rednd_core.cache import ArrayCache
from rednd_core.errors import DataError
from rednd_core.projection import JointUMAP, facade, nearest, prewarm, project
from rednd_core.projection import umap as umap_module


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return ArrayCache(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def mapped(layers, cache):
    """Two healthy layers, mapped with every warning an error."""
    prewarm()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return project(layers[:2], "umap", cache=cache)


def own_cluster_share(coords, clusters, k=10):
    """Share of the k nearest points on the map that are of the point's own cluster."""
    near = NearestNeighbors(n_neighbors=k).fit(coords).kneighbors(return_distance=False)
    return (clusters[near] == clusters[:, None]).mean()


def test_planted_clusters_stay_apart(mapped, clusters):
    assert mapped.coords.shape == (2, 240, 2)
    for flat, measured in zip(mapped.coords, mapped.quality, strict=True):
        assert own_cluster_share(flat, clusters) > 0.99
        assert measured["trustworthiness"] > 0.93
        assert measured["continuity"] > 0.93
    assert mapped.collapsed == (False, False)
    assert mapped.params == {
        "n_neighbors": 15,
        "min_dist": 0.1,
        "n_epochs": 200,
        "random_state": 0,
    }


def test_same_seed_same_map_and_another_seed_another(layers, mapped):
    again = project(layers[:2], "umap")
    assert np.array_equal(again.coords, mapped.coords)
    other = project(layers[:2], "umap", random_state=1)
    assert not np.allclose(other.coords, mapped.coords)


def test_identical_layers_lie_on_each_other(layers):
    coords = JointUMAP().fit_transform(np.stack([layers[0]] * 3))
    size = coords.reshape(-1, 2).std(axis=0).mean()
    apart = np.linalg.norm(coords[1:] - coords[:-1], axis=2).mean()
    assert apart < 0.1 * size


def test_another_min_dist_computes_no_neighbours_again(layers, cache, mapped, monkeypatch):
    def refuse(*arguments):
        raise AssertionError("the kNN graph was computed again")

    monkeypatch.setattr(facade, "nearest", refuse)
    wider = project(layers[:2], "umap", cache=cache, min_dist=0.9)
    assert not np.allclose(wider.coords, mapped.coords)
    with pytest.raises(AssertionError, match="computed again"):
        project(layers[:2], "umap", cache=cache, n_neighbors=10)


def test_a_foreign_graph_in_the_cache_is_replaced(layers, tmp_path, mapped, monkeypatch):
    cache = ArrayCache(tmp_path)
    keys = []
    real = ArrayCache.put
    monkeypatch.setattr(
        ArrayCache, "put", lambda self, key, arrays: keys.append(key) or real(self, key, arrays)
    )
    project(layers[:2], "umap", cache=cache)
    graph_key, layout_key = keys
    (tmp_path / f"{layout_key}.npz").unlink()
    graph = cache.get(graph_key)
    hostile = {**graph, "indices": graph["indices"] + np.int32(10**6)}
    real(cache, graph_key, hostile)
    again = project(layers[:2], "umap", cache=cache)
    assert np.array_equal(again.coords, mapped.coords)


def test_three_nodes_and_collapsed_and_zero_rows_can_be_mapped(layers, mapped):
    few = project(layers[:1], "umap", nodes=[0, 100, 200])
    assert few.coords.shape == (1, 3, 2)
    same = project([np.ones((30, 4), dtype=np.float32)], "umap")
    assert np.isfinite(same.coords).all()
    assert same.collapsed == (True,)
    isolated = layers[0].copy()
    isolated[:3] = 0
    found = project([isolated], "umap")
    assert np.isfinite(found.coords).all()
    assert found.quality[0]["n_zero"] == 3


def test_opposite_rows_are_not_cut_off(mapped):
    """At cosine distance 2 umap-learn disconnects points, which would put them at NaN."""
    rows = np.repeat([[1.0, 0.0], [-1.0, 0.0]], [1, 2], axis=0).astype(np.float32)
    assert np.isfinite(project([rows], "umap").coords).all()


def test_a_graph_of_other_rows_is_refused(layers):
    with pytest.raises(DataError, match=r"\(240, 15\)"):
        JointUMAP().fit_transform(np.stack(layers[:1]), nearest(layers[0], 14))


def test_layouts_do_not_run_at_once(layers, mapped, monkeypatch):
    """numba's default thread pool aborts the process when two threads enter it."""
    inside, most = [], []
    real = umap.UMAP.fit_transform

    def watched(self, x):
        inside.append(1)
        most.append(len(inside))
        try:
            return real(self, x)
        finally:
            inside.pop()

    monkeypatch.setattr(umap.UMAP, "fit_transform", watched)
    stack = np.stack(layers[:1])
    threads = [
        threading.Thread(target=JointUMAP(n_epochs=20).fit_transform, args=(stack,))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1, 1, 1]
    assert not umap_module._LAYOUT_LOCK.locked()
