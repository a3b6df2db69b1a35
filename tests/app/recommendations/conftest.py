"""Planted runs on a small shop with hostile titles and pictures."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from rednd_core.config import DataConfig, RunConfig
from rednd_core.data import load_dataset
from rednd_core.data.schema import Dataset
from rednd_core.runs import ModelFacts, Provenance, RunRecord, RunStore, create_run
from rednd_core.training.experiment import data_facts
from tests.app.recommendations.page import (
    HOSTILE,
    N_ITEMS,
    N_USERS,
    PAGE,
    SIZE,
    embeddings,
    settled,
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ids that are no numbers; item 0 has a hostile title, 1 a web picture, 2 junk, 3 a real one."""
    folder = tmp_path_factory.mktemp("data") / "shop"
    folder.mkdir()
    rng = np.random.default_rng(3)
    rows = ["userID,itemID,x_label"]
    for user in range(N_USERS):
        items = rng.choice(N_ITEMS, size=5 + user % 12, replace=False)
        labels = [1, 2, 2] + [0] * (len(items) - 3)
        rows += [f"u-{user:02d},sku-{i},{label}" for i, label in zip(items, labels, strict=True)]
    (folder / "shop.csv").write_text("\n".join(rows) + "\n")
    items = pd.DataFrame({"itemID": [f"sku-{i}" for i in range(N_ITEMS)]})
    items["title"] = [HOSTILE, *(f"Thing {i}" for i in range(1, N_ITEMS))]
    items["category"] = [("Pots", "Kites", "Mugs")[i % 3] for i in range(N_ITEMS)]
    pictures = ["", "https://example.org/1.png", "junk.png", "real.png", "absent.png"]
    items["image"] = pictures + [""] * (N_ITEMS - len(pictures))
    items.to_csv(folder / "items.csv", index=False)
    (folder / "junk.png").write_bytes(b"not a picture")
    Image.new("RGB", (400, 200), "red").save(folder / "real.png")
    names = [f"u-{user:02d},Name {user},Play" for user in range(N_USERS)]
    (folder / "users.csv").write_text("\n".join(["userID,name,segment", *names]) + "\n")
    return folder


@pytest.fixture(scope="module")
def dataset(shop: Path) -> Dataset:
    return load_dataset(shop)


@pytest.fixture(scope="module")
def planted(shop: Path, dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("runs")
    models = {"red": ("rednnd", ("image", "text"), 4), "light": ("lightgcn", ("id",), SIZE)}
    for seed, (name, (model, modalities, size)) in enumerate(models.items()):
        facts = ModelFacts.uniform(modalities, 1, size)
        record = RunRecord(
            config=RunConfig(model=model, data=DataConfig(path=str(shop))),
            provenance=Provenance(seed=1),
            data=data_facts(dataset),
            model=facts,
        )
        writer = create_run(root / name, record)
        layer = np.ones((dataset.n_users + dataset.n_items, size), dtype=np.float32)
        layers = {modality: [layer, layer] for modality in modalities}
        writer.save_layers(layers, *embeddings(dataset, seed), epoch=1)
        writer.status("finished", epoch=1, best_epoch=1)
    return root


@pytest.fixture
def runs(planted: Path, tmp_path: Path, show_store: Callable[[Path], RunStore]) -> RunStore:
    root = tmp_path / "runs"
    shutil.copytree(planted, root)
    return show_store(root)


@pytest.fixture
def page(runs: RunStore) -> Callable[..., AppTest]:
    """``page(slice="best", ...)``: the page of run "red" with these query parameters, run once."""

    def opened(**query: str) -> AppTest:
        app = AppTest.from_file(PAGE, default_timeout=180)
        for key, value in {"run": "red", **query}.items():
            app.query_params[key] = value
        return settled(app.run())

    return opened
