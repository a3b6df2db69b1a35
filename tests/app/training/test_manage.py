"""Runs that come and go: delete, export, import."""

from __future__ import annotations

from pathlib import Path

import pytest

from rednd_core.runs import (
    RunStore,
    export,
)
from tests.app.training.page import MANAGE, drawn_run, files_of, keys, open_page, upload, words


def test_delete_asks_first(add_run, store: RunStore) -> None:
    add_run("old", "finished")
    app = open_page(MANAGE)
    app.selectbox(key="manage.run").set_value("old").run()
    assert store.list()
    app.button(key="manage.confirm.old").click().run()
    assert not store.list()
    assert "There is no run yet" in app.info[0].value
    assert "old was deleted." in words(app)
    app.button(key="manage.undo").click().run()
    assert [entry.name for entry in store.list()] == ["old"]
    assert not app.exception


def test_a_run_comes_back_from_the_bin(add_run, store: RunStore) -> None:
    add_run("old", "finished")
    add_run("other", "finished")
    store.delete("old")
    app = open_page(MANAGE)
    app.button(key="manage.restore.old").click().run()
    assert sorted(entry.name for entry in store.list()) == ["old", "other"]
    store.delete("old")
    app.run()
    app.button(key="manage.empty").click().run()
    assert not store.deleted()


def test_after_a_deletion_no_other_run_is_next(add_run, store: RunStore) -> None:
    for name in ("first", "second"):
        add_run(name, "finished")
    app = open_page(MANAGE)
    assert app.selectbox(key="manage.run").value is None
    app.selectbox(key="manage.run").set_value("first").run()
    # What asks about one run is another element than what asks about the next one.
    assert [key for key in keys(app) if key.startswith("manage.confirm")] == [
        "manage.confirm.first"
    ]
    app.button(key="manage.confirm.first").click().run()
    assert app.selectbox(key="manage.run").value is None
    assert not [key for key in keys(app) if key.startswith("manage.confirm")]
    assert "first was deleted." in words(app)
    assert [entry.name for entry in store.list()] == ["second"]
    app.selectbox(key="manage.run").set_value("second").run()
    assert "first was deleted." not in words(app)


def test_the_box_names_the_run_that_is_drawn_after_the_watched_one_is_deleted(add_run) -> None:
    for name in ("other", "watched"):
        add_run(name, "finished")
    app = open_page(MANAGE, job="watched")
    app.selectbox(key="manage.run").set_value("watched").run()
    app.button(key="manage.confirm.watched").click().run()
    assert app.selectbox(key="job").value == "other"
    assert app.session_state["job"] == "other"  # sent to the browser, whose box keeps its own else
    assert "The run **watched** was deleted; this is **other**." in words(app)
    assert drawn_run(app) == "other"


def test_a_living_run_can_be_neither_deleted_nor_exported(add_run) -> None:
    add_run()
    app = open_page(MANAGE)
    app.selectbox(key="manage.run").set_value("demo").run()
    assert "This run is in training" in words(app)
    assert "manage.confirm.demo" not in keys(app)
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


def test_the_files_of_a_refused_import_are_not_among_those_of_the_next(
    add_run, store: RunStore, tmp_path: Path
) -> None:
    add_run("old", "finished")
    archive = export(store.open("old"), tmp_path / "old.zip").read_bytes()
    store.delete("old")
    app = upload(open_page(MANAGE), ("notzip.zip", b"no zip", "application/zip"))
    assert app.file_uploader[0].value == []
    app.run()
    said = words(app).replace("\\", "")
    assert "Nothing was imported from notzip.zip. Expected a zip archive" in said  # still
    assert "found a file of another kind" in said
    app.file_uploader[0].set_value([("old.zip", archive, "application/zip")]).run()
    assert "Nothing was imported" not in words(app)
    app.button(key="manage.import").click().run()
    assert [entry.name for entry in store.list()] == ["old"]
    assert app.file_uploader[0].value == []


def test_an_exported_run_comes_back(add_run, store: RunStore, tmp_path: Path) -> None:
    add_run("old", "finished")
    archive = export(store.open("old"), tmp_path / "old.zip").read_bytes()
    store.delete("old")
    app = upload(open_page(MANAGE), ("old.zip", archive, "application/zip"))
    assert not app.exception
    assert app.selectbox(key="job").value == "old"
    assert store.open("old").status.state == "finished"
