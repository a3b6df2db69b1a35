"""UMAP by cuML: what is asked of it, and when. A stand-in, as cuML needs a GPU to be imported."""

from __future__ import annotations

import sys
from importlib import metadata
from types import ModuleType

import numpy as np
import pytest

from rednd_core.cache import ArrayCache
from rednd_core.projection import JointUMAP, facade, find, nearest, project
from rednd_core.projection import umap as umap_module
from rednd_core.projection.umap import cuml_for_gpu

REAL_VERSION = metadata.version


@pytest.fixture
def installed(monkeypatch):
    """``installed("cuml-cu12", gpu=True)``: which distribution of cuML there is, and a GPU."""

    def install(name: str | None, gpu: bool) -> None:
        def version(asked: str) -> str:
            if not asked.startswith("cuml"):
                return REAL_VERSION(asked)
            if asked != name:
                raise metadata.PackageNotFoundError(asked)
            return "26.10.0"

        monkeypatch.setattr(metadata, "version", version)
        monkeypatch.setattr("torch.cuda.is_available", lambda: gpu)
        cuml_for_gpu.cache_clear()

    yield install
    cuml_for_gpu.cache_clear()


@pytest.fixture
def asked(installed, monkeypatch):
    """Settings of every cuML UMAP, which puts its points where they start."""
    installed("cuml-cu12", gpu=True)
    seen = []

    class UMAP:
        def __init__(self, **settings):
            seen.append(settings)

        def fit_transform(self, rows):
            seen[-1]["rows"] = rows
            return seen[-1]["init"]

    manifold = ModuleType("cuml.manifold")
    manifold.UMAP = UMAP
    monkeypatch.setitem(sys.modules, "cuml", ModuleType("cuml"))
    monkeypatch.setitem(sys.modules, "cuml.manifold", manifold)
    monkeypatch.setitem(sys.modules, "umap", None)  # an import of umap-learn would raise
    return seen


@pytest.mark.parametrize("name", [*umap_module.CUML, None])
@pytest.mark.parametrize("gpu", [True, False])
def test_cuml_is_for_those_who_have_it_and_a_gpu(installed, name, gpu):
    installed(name, gpu)
    assert cuml_for_gpu() == (name if gpu else None)


def test_it_gets_the_same_neighbours_start_and_settings(layers, asked):
    estimator = JointUMAP(n_neighbors=9, min_dist=0.3, n_epochs=40, random_state=5)
    stack = np.stack(layers[:2])
    coords = estimator.fit_transform(stack)
    (settings,) = asked
    graph = nearest(stack.reshape(-1, 16), 9)
    assert np.array_equal(settings["precomputed_knn"][0], graph.indices)
    assert np.array_equal(settings["precomputed_knn"][1], graph.distances)
    assert np.allclose(np.linalg.norm(settings["rows"], axis=1), 1)
    assert settings["init"].shape == (480, 2)
    assert np.abs(settings["init"]).max() == pytest.approx(10, abs=0.1)
    expected = {"n_neighbors": 9, "min_dist": 0.3, "n_epochs": 40, "random_state": 5}
    assert {name: settings[name] for name in expected} == expected
    assert settings["output_type"] == "numpy"
    assert coords.shape == (2, 240, 2)
    assert coords.dtype == np.float32


def test_what_computed_it_is_kept_with_it(layers, asked, tmp_path):
    cache = ArrayCache(tmp_path)
    made = project(layers[:1], "umap", cache=cache)
    assert made.versions == {"numpy": np.__version__, "cuml-cu12": "26.10.0"}
    assert find(layers[:1], "umap", cache=cache).versions == made.versions
    assert len(asked) == 1


def test_maps_that_umap_learn_made_are_not_made_again(
    layers, asked, installed, tmp_path, monkeypatch
):
    """The bundled ones, for example, would be missing from the first page of whoever has a GPU."""
    cache = ArrayCache(tmp_path)
    installed(None, gpu=False)
    monkeypatch.setattr(facade.JointUMAP, "_layout", lambda self, rows, graph, start: start)
    made = project(layers[:1], "umap", cache=cache)
    assert "umap-learn" in made.versions
    installed("cuml-cu12", gpu=True)
    assert find(layers[:1], "umap", cache=cache).versions == made.versions
