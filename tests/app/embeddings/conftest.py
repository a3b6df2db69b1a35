"""Small runs with planted layers, on data with names, pictures and one hostile title."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from app import cached
from rednd_core.config import DataConfig, RunConfig
from rednd_core.data import load_dataset
from rednd_core.graph.bipartite import bipartite_graph
from rednd_core.runs import ModelFacts, Provenance, RunRecord, RunStore, create_run
from rednd_core.smoothness import propagate_depth
from rednd_core.training.experiment import data_facts
from tests.app.embeddings.page import HOSTILE, N_ITEMS, N_LAYERS, N_USERS


@pytest.fixture
def folder(planted_folder: Path, tmp_path: Path) -> Path:
    """The planted data with categories, user names and segments, and one hostile title."""
    own = tmp_path / "planted"
    shutil.copytree(planted_folder, own)
    items = pd.DataFrame(
        {
            "itemID": [f"sku-{k}" for k in range(N_ITEMS)],
            "title": [f"Thing {k}" for k in range(N_ITEMS - 1)] + [HOSTILE],
            "category": ["left"] * 15 + ["right"] * 15,
            "image": ["red.png", "broken.png", "http://example.invalid/x.png"] + [""] * 27,
        }
    )
    items.to_csv(own / "items.csv", index=False)
    Image.new("RGB", (8, 8), "red").save(own / "red.png")
    (own / "broken.png").write_bytes(b"no picture")
    users = pd.DataFrame(
        {
            "userID": [f"ann-{k}" for k in range(N_USERS)],
            "name": [f"Ann {k}" for k in range(N_USERS)],
            "segment": ["a", "b"] * 20,
        }
    )
    users.to_csv(own / "users.csv", index=False)
    return own


@pytest.fixture
def add_run(store: RunStore, folder: Path) -> Callable[..., list[np.ndarray]]:
    """``add_run(name, seed)``: a finished run; its layers x^0 .. x^n_layers."""

    def add(
        name: str,
        seed: int = 0,
        modality: str | tuple[str, ...] = "id",
        n_layers: int = N_LAYERS,
        linear: bool = True,
    ) -> list[np.ndarray]:
        data = load_dataset(folder)
        graph = bipartite_graph(data.train, data.n_users, data.n_items)
        facts = data_facts(data)
        modalities = (modality,) if isinstance(modality, str) else modality
        shape = ModelFacts.uniform(modalities, n_layers, 8, linear_propagation=linear)
        config = RunConfig(model="lightgcn", data=DataConfig(path=str(folder)))
        record = RunRecord(config=config, provenance=Provenance(seed=1), data=facts, model=shape)
        writer = create_run(store.root / name, record)
        start = np.random.default_rng(seed).normal(size=(graph.n_nodes, 8))
        layers = [x.astype(np.float32) for x in propagate_depth(start, graph, n_layers)]
        users, items = layers[-1][: data.n_users], layers[-1][data.n_users :]
        writer.save_layers(dict.fromkeys(modalities, layers), users, items, epoch=3)
        recall = np.linspace(0, 1, N_USERS)
        writer.save_per_user(
            pd.DataFrame({"user": range(N_USERS), "split": "valid", "recall@20": recall})
        )
        writer.status("finished", epoch=3, best_epoch=3)
        return layers

    return add


@pytest.fixture(autouse=True)
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A word for every time that the compiler of UMAP was asked for; it does not run."""
    asked: list[str] = []
    monkeypatch.setattr("app.cached.compile_umap", lambda: asked.append("umap"))
    return asked


@pytest.fixture
def no_umap(monkeypatch: pytest.MonkeyPatch) -> None:
    """UMAP maps are PCA maps under another name: its layout is tested in tests/projection."""
    real = cached.projection

    def projection(asked):
        return replace(real(replace(asked, method="pca", settings={})), method=asked.method)

    monkeypatch.setattr(cached, "projection", projection)
