"""Runs that come and go: delete, export, import."""

from __future__ import annotations

from pathlib import Path

import pytest

from rednd_core.runs import (
    RunStore,
    export,
)
from tests.app.training.page import MANAGE, files_of, keys, open_page, upload


def test_delete_asks_first(add_run, store: RunStore) -> None:
    add_run("old", "finished")
    app = open_page(MANAGE)
    assert store.list()
    app.button(key="manage.confirm").click().run()
    assert not store.list()
    assert "There is no run yet" in app.info[0].value


def test_a_living_run_can_be_neither_deleted_nor_exported(add_run) -> None:
    add_run()
    app = open_page(MANAGE)
    assert "manage.confirm" not in keys(app)
    assert not [b for b in app.download_button if b.key == "manage.export"]


@pytest.mark.parametrize(
    "files",
    [
        [("run.zip", b"PK\x05\x06 not a zip", "application/zip")],
        [("config.json", b"{}", "application/json")],
        [
            ("best.safetensors", b"\x00" * 64, "application/octet-stream"),
            ("config.json", b'{"format": 1}', "application/json"),
        ],
    ],
)
def test_a_hostile_upload_is_a_sentence_and_changes_nothing(
    add_run, store: RunStore, files: list[tuple[str, bytes, str]]
) -> None:
    add_run("kept", "finished")
    before = files_of(store)
    app = upload(open_page(MANAGE), *files)
    assert not app.exception
    assert "Nothing was imported" in app.error[0].value
    assert files_of(store) == before


def test_an_exported_run_comes_back(add_run, store: RunStore, tmp_path: Path) -> None:
    add_run("old", "finished")
    archive = export(store.open("old"), tmp_path / "old.zip").read_bytes()
    store.delete("old")
    app = upload(open_page(MANAGE), ("old.zip", archive, "application/zip"))
    assert not app.exception
    assert app.selectbox(key="job").value == "old"
    assert store.open("old").status.state == "finished"
