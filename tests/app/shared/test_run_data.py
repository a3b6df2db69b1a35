"""A trained run whose data were moved or changed: every page says what to do, in words."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from rednd_core.config import PROJECT_ROOT, DataConfig, RunConfig
from rednd_core.data import load_dataset
from rednd_core.runs import ModelFacts, Provenance, RunRecord, RunStore, create_run
from rednd_core.training.experiment import data_facts

PAGES = ("1_Embeddings", "2_Smoothness", "3_Recommendations")


@pytest.fixture
def folder(store: RunStore, planted_folder: Path, tmp_path: Path) -> Path:
    """The data of a finished run ``demo`` of random layers."""
    data = tmp_path / "my-data"
    shutil.copytree(planted_folder, data)
    dataset = load_dataset(data)
    facts = ModelFacts.uniform(("id",), 1, 4)
    record = RunRecord(
        config=RunConfig(model="lightgcn", data=DataConfig(path=str(data))),
        provenance=Provenance(seed=0),
        data=data_facts(dataset),
        model=facts,
    )
    writer = create_run(store.root / "demo", record)
    layers = np.random.default_rng(0).normal(size=(2, dataset.n_users + dataset.n_items, 4))
    vectors = layers.astype(np.float32)
    users, items = vectors[1][: dataset.n_users], vectors[1][dataset.n_users :]
    writer.save_layers({"id": list(vectors)}, users, items, epoch=1)
    writer.status("finished", epoch=1, best_epoch=1)
    return data


def problem(page: str) -> str:
    app = AppTest.from_file(str(PROJECT_ROOT / "pages" / f"{page}.py"), default_timeout=60)
    app.query_params["run"] = "demo"
    app.run()
    assert not app.exception
    return "\n".join(error.value for error in (*app.error, *app.warning)).replace("\\", "")


@pytest.mark.parametrize("page", PAGES)
def test_data_that_were_moved_are_asked_for_at_their_place(folder: Path, page: str) -> None:
    folder.rename(folder.with_name("elsewhere"))
    said = problem(page)
    assert "Expected the data set my-data that the run was trained on (" in said
    assert f"found nothing at {folder}; say where it lies now: rednd runs relink" in said


@pytest.mark.parametrize("page", PAGES)
def test_data_that_have_changed_are_told_apart_in_words(folder: Path, page: str) -> None:
    table = folder / "interactions.csv"
    lines = table.read_text().splitlines()
    table.write_text("\n".join(lines[:-12] + lines[-11:]) + "\n")
    said = problem(page)
    assert f"found {folder} with other content; put the old files back there, or train" in said
    assert not re.search(r"[0-9a-f]{12}", said)
