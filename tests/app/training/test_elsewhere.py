"""Vectors are uploaded, their data set is chosen, and the run is watched."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch

from rednd_core.data import load_dataset
from rednd_core.runs import RunStore
from tests.app.training.page import MANAGE, files_of, open_page, upload, words

KIND = "application/octet-stream"


def npy(values: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()


@pytest.fixture
def vectors(planted_folder: Path) -> list[tuple[str, bytes, str]]:
    data, rng = load_dataset(planted_folder), np.random.default_rng(3)
    users, items = rng.normal(size=(data.n_users, 8)), rng.normal(size=(data.n_items, 8))
    return [("users.npy", npy(users), KIND), ("items.npy", npy(items), KIND)]


def test_vectors_alone(add_run, store: RunStore, vectors) -> None:
    add_run("kept", "finished")
    app = upload(open_page(MANAGE), *vectors)
    assert not app.exception
    (imported,) = (entry for entry in store.list() if entry.name != "kept")
    assert not imported.record.has_interactions
    assert app.selectbox(key="job").value == imported.name
    assert any("Imported" in said.value for said in app.success)


def test_vectors_with_a_data_set_and_layers(
    add_run, store: RunStore, vectors, planted_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDND_DATA", str(planted_folder.parent))
    add_run("kept", "finished")
    app = open_page(MANAGE)
    app.file_uploader[0].set_value(vectors).run()
    (path,) = (o for o in app.selectbox(key="manage.data").options if o.endswith("planted"))
    app.selectbox(key="manage.data").set_value(path).run()
    app.number_input(key="manage.layers").set_value(2).run()
    app.button(key="manage.import").click().run()
    assert not app.exception
    (imported,) = (entry for entry in store.list() if entry.name != "kept")
    assert imported.record.model.n_layers == 2
    assert imported.run.evaluation() is not None


def test_tables_of_a_checkpoint_are_named(add_run, store: RunStore) -> None:
    add_run("kept", "finished")
    file = io.BytesIO()
    torch.save({"P": torch.ones(4, 3), "Q": torch.rand(5, 3)}, file)
    checkpoint = ("model.pth", file.getvalue(), KIND)
    app = upload(open_page(MANAGE), checkpoint)
    assert "--user-key" in words(app).replace("\\", "")
    app.file_uploader[0].set_value([checkpoint]).run()
    app.text_input(key="manage.user_key").set_value("P").run()
    app.text_input(key="manage.item_key").set_value("Q").run()
    app.button(key="manage.import").click().run()
    (imported,) = (entry for entry in store.list() if entry.name != "kept")
    assert (imported.record.data.n_users, imported.record.data.n_items) == (4, 5)


def test_what_is_no_vector_changes_nothing(add_run, store: RunStore) -> None:
    add_run("kept", "finished")
    before = files_of(store)
    app = upload(open_page(MANAGE), ("users.npy", b"\x80\x04junk", KIND))
    assert not app.exception
    assert "never opened" in app.error[0].value
    assert files_of(store) == before
