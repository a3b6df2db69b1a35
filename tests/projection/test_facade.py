"""The facade with PCA: checks, sampling, quality and cache (UMAP has its own file)."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from rednd_core.cache import ArrayCache
from rednd_core.errors import ConfigError, DataError
from rednd_core.projection import PooledPCA, Projection, facade, project, sample_nodes


def test_maps_the_chosen_nodes_in_their_order(layers):
    nodes = np.array([9, 3, 200, 41])
    found = project(layers, nodes=nodes)
    assert found.coords.shape == (3, 4, 2)
    assert found.nodes.tolist() == nodes.tolist()
    assert found.n_total == 240
    expected = PooledPCA().fit_transform(np.stack(layers)[:, nodes])
    assert np.array_equal(found.coords, expected)
    assert found.method == "pca"
    assert set(found.versions) == {"numpy"}
    assert found.seconds > 0


def test_flags_the_collapsed_layer_and_says_on_how_many_points(layers, monkeypatch):
    monkeypatch.setattr(facade, "QUALITY_POINTS", 100)
    found = project(layers, n_users=140)
    assert found.collapsed == (False, False, True)
    assert [measured["n_points"] for measured in found.quality] == [100] * 3
    assert [measured["n"] for measured in found.quality] == [240] * 3
    assert found.quality[0]["mad_users"] > found.quality[2]["mad_users"]
    assert found.quality[0]["k"] == 15


def test_reads_memory_maps_without_changing_them(layers, tmp_path):
    for number, layer in enumerate(layers):
        np.save(tmp_path / f"{number}.npy", layer)
    mapped = [np.load(tmp_path / f"{number}.npy", mmap_mode="r") for number in range(3)]
    sample = sample_nodes(140, 100, 60)
    found = project(mapped, nodes=sample)
    assert np.array_equal(found.coords, project(layers, nodes=sample.nodes).coords)


def test_zero_rows_are_placed_and_counted(layers):
    isolated = [layer.copy() for layer in layers]
    isolated[1][5] = 0
    found = project(isolated)
    assert [measured["n_zero"] for measured in found.quality] == [0, 1, 0]
    assert np.isfinite(found.coords).all()


def test_unknown_names_are_refused_with_a_hint(layers):
    with pytest.raises(ConfigError, match="did you mean 'umap'"):
        project(layers, "umpa")
    with pytest.raises(ConfigError, match="did you mean 'min_dist'"):
        project(layers, "umap", mindist=0.2)
    with pytest.raises(ConfigError, match="setting of pca"):
        project(layers, "pca", min_dist=0.2)


@pytest.mark.parametrize(
    "settings",
    [
        {"n_neighbors": 1},
        {"n_neighbors": 5.5},
        {"min_dist": -0.1},
        {"min_dist": 2},
        {"n_epochs": 0},
        {"random_state": -1},
        {"random_state": None},
    ],
)
def test_impossible_settings_are_refused(layers, settings):
    with pytest.raises(ConfigError, match=next(iter(settings))):
        project(layers, "umap", **settings)


@pytest.mark.parametrize("nodes", [[], [0, 1], [0, 1, 1], [0, 1, 240], [-1, 0, 1]], ids=str)
def test_impossible_nodes_are_refused(layers, nodes):
    with pytest.raises(DataError, match="3 distinct nodes between 0 and 239"):
        project(layers, nodes=nodes)


def test_nodes_must_be_whole_numbers(layers):
    with pytest.raises(ConfigError, match="whole numbers"):
        project(layers, nodes=np.ones(240, dtype=bool))


@pytest.mark.parametrize("case", ["none", "rows", "columns", "flat"])
def test_layers_must_have_one_shape(layers, case):
    given = {
        "none": [],
        "rows": [layers[0], layers[1][:-1]],
        "columns": [layers[0], layers[1][:, :-1]],
        "flat": [layers[0].ravel()],
    }[case]
    with pytest.raises(DataError, match="one shape"):
        project(given)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_name_their_place(layers, value):
    broken = [layer.copy() for layer in layers]
    broken[1][[30, 31], 2] = value
    with pytest.raises(DataError, match=r"2 rows of layer number 1 .* node 30"):
        project(broken)
    assert project(broken, nodes=np.arange(30)).n_total == 240, "other nodes can be mapped"


def test_cache_gives_the_same_object_and_every_input_counts(layers, tmp_path, monkeypatch):
    cache = ArrayCache(tmp_path)
    first = project(layers, n_users=140, cache=cache)
    fits = []
    real = PooledPCA.fit_transform
    monkeypatch.setattr(
        PooledPCA, "fit_transform", lambda self, x: fits.append(len(x)) or real(self, x)
    )
    again = project(layers, n_users=140, cache=cache)
    assert not fits
    for field in dataclasses.fields(Projection):
        left, right = getattr(first, field.name), getattr(again, field.name)
        assert np.array_equal(left, right) if isinstance(left, np.ndarray) else left == right
    changed = layers[0].copy()
    changed[0, 0] += 1e-3
    for arguments in (
        {"layers": layers[:2]},
        {"layers": layers[::-1]},
        {"layers": [changed, *layers[1:]]},
        {"n_users": None},
        {"n_users": 139},
        {"nodes": np.arange(239)},
    ):
        before = len(fits)
        project(**{"layers": layers, "n_users": 140, "cache": cache, **arguments})
        assert len(fits) == before + 1, arguments


@pytest.mark.parametrize("damage", ["rubbish", "foreign", "misfit"])
def test_damaged_entries_are_computed_again_and_replaced(layers, tmp_path, damage):
    cache = ArrayCache(tmp_path)
    first = project(layers, cache=cache)
    (path,) = tmp_path.iterdir()
    if damage == "rubbish":
        path.write_bytes(b"rubbish")
    elif damage == "foreign":
        cache.put(path.stem, {"x": np.zeros(3)})
    else:
        cache.put(path.stem, {**first.to_arrays(), "coords": first.coords[:, :5]})
    assert np.array_equal(project(layers, cache=cache).coords, first.coords)
    assert Projection.from_arrays(cache.get(path.stem)).n_total == 240


def test_projection_refuses_parts_that_do_not_fit(layers):
    good = project(layers)
    for change in (
        {"coords": good.coords[:2]},
        {"coords": good.coords.astype(np.float64)},
        {"coords": good.coords * np.nan},
        {"collapsed": (False,)},
        {"nodes": good.nodes[1:]},
    ):
        with pytest.raises(DataError, match="coordinates"):
            dataclasses.replace(good, **change)


def test_a_map_of_all_layers_shows_some(layers, tmp_path):
    cache = ArrayCache(tmp_path)
    whole = project(layers)
    some = project(layers, shown=[0, 2], cache=cache)
    np.testing.assert_array_equal(some.coords, whole.coords[[0, 2]])
    assert some.quality == (whole.quality[0], whole.quality[2])
    assert some.collapsed == (whole.collapsed[0], whole.collapsed[2])
    assert facade.find(layers, "pca", shown=[0, 2], cache=cache).quality == some.quality
    assert facade.find(layers, "pca", shown=[1], cache=cache) is None, "its quality is not known"
    assert facade.find(layers, "pca", cache=cache) is None


def test_a_cached_map_of_all_layers_answers_for_each_of_them(layers, tmp_path):
    cache = ArrayCache(tmp_path)
    whole = project(layers, cache=cache)
    found = facade.find(layers, "pca", shown=[2, 1], cache=cache)
    np.testing.assert_array_equal(found.coords, whole.coords[[2, 1]])
    assert found.quality == (whole.quality[2], whole.quality[1])


def test_a_umap_is_kept_with_all_its_layers(layers, tmp_path, monkeypatch):
    class Flat(facade.PooledPCA):
        def fit_transform(self, stack, _knn):
            return super().fit_transform(stack)

    monkeypatch.setattr(
        facade.JointUMAP, "fit_transform", lambda _, stack, knn: Flat().fit_transform(stack, knn)
    )
    monkeypatch.setattr(facade, "_knn", lambda *_: None)
    cache = ArrayCache(tmp_path)
    some = project(layers, "umap", shown=[1], cache=cache)
    assert len(some.coords) == 1
    assert len(facade.find(layers, "umap", cache=cache).coords) == len(layers)
    assert facade.find(layers, "umap", shown=[0], cache=cache).coords.shape[0] == 1
