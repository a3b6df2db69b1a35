"""Every page shows a run of every model: its parts and layers, without an error."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.sitemap import PAGES, page_file
from rednd_core.config import DataConfig, TrainingConfig
from rednd_core.modeling.defaults import configure
from rednd_core.modeling.registry import model_class, model_names
from rednd_core.runs import Provenance, RunRecord, RunStore, create_run
from rednd_core.training.experiment import train_run

TRAINING = TrainingConfig(epochs=2, batch_size=64, device="cpu", engine="csr")


@pytest.fixture(scope="module")
def trained(planted_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two epochs of every model."""
    root = tmp_path_factory.mktemp("runs")
    settings = TRAINING.model_dump(mode="json", include=TRAINING.model_fields_set)
    for name in model_names():
        own = model_class(name).settings_class.model_fields
        small = {"embedding_size": 4, "knn_k": 3}
        chosen = settings | {key: value for key, value in small.items() if key in own}
        config = configure(name, DataConfig(path=str(planted_folder)), chosen)
        train_run(create_run(root / name, RunRecord(config=config, provenance=Provenance(seed=1))))
    return root


@pytest.fixture
def store(
    trained: Path, tmp_path: Path, monkeypatch, show_store: Callable[[Path], RunStore]
) -> RunStore:
    """A copy of the trained runs, and nothing else, as the app's store."""
    monkeypatch.setenv("REDND_CACHE", str(tmp_path / "cache"))
    shutil.copytree(trained, tmp_path / "shown")
    return show_store(tmp_path / "shown")


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("name", model_names())
def test_a_page_shows_the_run(store: RunStore, name: str, page: str) -> None:
    app = AppTest.from_file(page_file(page), default_timeout=180)
    app.query_params["run"] = name
    app.run()
    assert not app.exception, app.exception
    assert not app.error, [error.value for error in app.error]


@pytest.mark.parametrize("name", model_names())
def test_the_parts_of_a_model_can_be_chosen(store: RunStore, name: str) -> None:
    layers = store.open(name).layers()
    for modality in layers:
        app = AppTest.from_file(page_file("embeddings"), default_timeout=180)
        app.query_params["run"] = name
        app.query_params["modality"] = modality
        app.run()
        assert not app.exception, app.exception
        assert not app.error, [error.value for error in app.error]
        (depths,) = [box for box in app.multiselect if box.label == "Depths"]
        trained = [str(depth) for depth in range(len(layers[modality]))]
        assert depths.options[: len(trained)] == trained
