"""A run leaves one store and arrives whole in another, under a name of its own."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from rednd_core import atomic
from rednd_core.atomic import write_json
from rednd_core.config import resolve_data_path
from rednd_core.errors import CheckpointError, RunError
from rednd_core.runs import (
    Run,
    RunStore,
    StatusRecord,
    create_run,
    data_place,
    export,
    import_archive,
    import_checkpoint,
)
from rednd_core.runs.liveness import process_record
from tests.runs.transfer.archives import files_of, pack


def set_path(run: Run, path: str) -> None:
    """As if it had been trained on the data set at ``path``."""
    record = run.record
    data = record.config.data.model_copy(update={"path": path})
    config = record.config.model_copy(update={"data": data})
    write_json(run.layout.config, record.model_copy(update={"config": config}))


def test_a_run_travels_whole(finished: Run, zipped: bytes, target: RunStore) -> None:
    run = import_archive(zipped, target)
    assert run.name == "done"
    assert run.record == finished.record
    assert run.metrics().equals(finished.metrics())
    assert run.evaluation() == finished.evaluation()
    assert run.per_user().equals(finished.per_user())
    assert run.layer_version == finished.layer_version
    for ours, theirs in zip(run.layers()["id"], finished.layers()["id"], strict=True):
        np.testing.assert_array_equal(ours, theirs)
    ours, theirs = run.snapshots(), finished.snapshots()
    assert (ours.epochs, ours.version) == (theirs.epochs, theirs.version)
    for epoch in ours.epochs:
        np.testing.assert_array_equal(ours.layers(epoch)["id"], theirs.layers(epoch)["id"])
    assert run.layout.best_checkpoint.read_bytes() == finished.layout.best_checkpoint.read_bytes()
    assert run.status.state == "finished"
    assert run.status.process is None
    assert [path.name for path in target.root.iterdir()] == ["done"]


def test_which_machine_trained_it_stays_behind(finished: Run, tmp_path: Path) -> None:
    process = finished.status.process
    assert process is not None
    archive = export(finished, tmp_path / "done.zip")
    status = files_of(archive.read_bytes())["done/status.json"]
    assert b'"process": null' in status
    assert finished.status.process == process, "the run itself is as it was"


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/home/ann/data/baby", "baby"),
        ("~/data/reviews.csv", "reviews.csv"),
        ("C:\\Users\\Ann\\baby", "baby"),
        ("sample_data/shop", "sample_data/shop"),
        ("/", "data"),
        ("gone/ann", "gone/ann"),
        ("~/ann", "ann"),
    ],
)
def test_where_the_data_lay_stays_behind(
    finished: Run, tmp_path: Path, path: str, told: str
) -> None:
    set_path(finished, path)
    place = path if path[0] in "/C" else resolve_data_path(path)
    said = f"Expected a column in {place}, found none in {finished.path}"
    write_json(finished.layout.status, StatusRecord(state="failed", message=said))
    before = finished.record
    finished.layout.log.write_text("Expected a column in /home/ann/data/baby")
    files = files_of(export(finished, tmp_path / "done.zip").read_bytes())
    assert json.loads(files["done/config.json"])["config"]["data"]["path"] == told
    assert "done/log.txt" not in files
    message = json.loads(files["done/status.json"])["message"]
    wanted = told if len(path) > 1 else path
    assert message == f"Expected a column in {wanted}, found none in done"
    assert not any(b"Ann" in content or b"ann/" in content for content in files.values())
    assert finished.record == before, "the run itself is as it was"


def test_an_import_finds_its_data_where_a_run_of_the_store_has_it(
    finished: Run, target: RunStore, tmp_path: Path
) -> None:
    data = tmp_path / "elsewhere" / "baby"
    data.mkdir(parents=True)
    set_path(finished, str(data))
    zipped = export(finished, tmp_path / "done.zip").read_bytes()
    assert import_archive(zipped, target, "lost").config.data.path == "baby"
    set_path(target.open("lost"), str(data))
    assert import_archive(zipped, target, "found").config.data.path == str(data)


ELSEWHERE = [
    ("/etc/passwd", "passwd"),
    ("//server/share/baby", "baby"),
    ("\\\\server\\share\\baby", "baby"),
    ("C:\\data\\baby", "baby"),
    ("C:baby", "baby"),
    ("~root/baby", "baby"),
    ("../../etc/passwd", "passwd"),
    ("data/../../secret", "secret"),
    ("data\\..\\..\\secret", "secret"),
    ("..", "data"),
    ("/", "data"),
]


@pytest.mark.parametrize(("path", "kept"), ELSEWHERE)
def test_what_an_archive_names_elsewhere_is_never_looked_at(
    zipped: bytes, record, checkpoint: bytes, target: RunStore, monkeypatch, path: str, kept: str
) -> None:
    """An address on a network disk would send the user's log-in to that server."""
    asked = []

    def resolve(text: str) -> Path:
        asked.append(text)
        return Path("/nonexistent") / "nothing"

    monkeypatch.setattr(data_place, "resolve_data_path", resolve)
    files = files_of(zipped)
    config = json.loads(files["done/config.json"])
    config["config"]["data"]["path"] = path
    sent = json.dumps(config).encode()
    run = import_archive(pack(files | {"done/config.json": sent}), target)
    other = import_checkpoint(checkpoint, sent, target)
    assert run.config.data.path == other.config.data.path == kept
    assert path not in asked


def test_an_import_is_told_where_its_data_lie(zipped: bytes, target: RunStore) -> None:
    assert import_archive(zipped, target, data="/here/baby").config.data.path == "/here/baby"


def test_files_from_before_1980_travel(finished: Run, target: RunStore, tmp_path: Path) -> None:
    for file in finished.path.rglob("*"):
        os.utime(file, (0, 0))
    assert import_archive(export(finished, tmp_path / "x.zip"), target).layers() is not None


def test_names_of_imports(zipped: bytes, target: RunStore, tmp_path: Path) -> None:
    (tmp_path / "file.zip").write_bytes(zipped)
    assert import_archive(tmp_path / "file.zip", target).name == "done"
    assert import_archive(zipped, target).name == "lightgcn-shop-1"
    assert import_archive(zipped, target, name="mine").name == "mine"
    with pytest.raises(CheckpointError, match="no run called mine"):
        import_archive(zipped, target, name="mine")
    with pytest.raises(CheckpointError, match="a run name"):
        import_archive(zipped, target, name="../up")
    assert len(list(target.root.iterdir())) == 3


def test_a_hand_made_zip_of_the_folder_works(finished: Run, target: RunStore, tmp_path) -> None:
    (finished.layout.control / f"{1:020d}-0123abcd.json").write_text("{}")
    write_json(finished.layout.job, process_record(1))
    made = shutil.make_archive(str(tmp_path / "hand"), "zip", finished.path)
    run = import_archive(Path(made), target)
    assert run.status.state == "finished"
    assert not run.layout.job.exists()
    assert not run.layout.control.exists()


def test_links_are_not_exported(finished: Run, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("private")
    finished.layout.metrics.unlink()
    finished.layout.metrics.symlink_to(secret)
    (finished.path / "notes.md").write_text("mine")
    names = files_of(export(finished, tmp_path / "x.zip").read_bytes())
    assert "done/config.json" in names
    assert not {"done/metrics.jsonl", "done/notes.md"} & set(names)


def test_live_runs_are_not_exported(store, record, tmp_path: Path) -> None:
    create_run(store.root / "live", record).status("running")
    with pytest.raises(RunError, match="found the state running"):
        export(store.open("live"), tmp_path / "x.zip")
    assert not (tmp_path / "x.zip").exists()


def test_a_lost_run_arrives_as_stopped(finished: Run, target: RunStore, tmp_path: Path) -> None:
    gone = process_record(1).model_copy(update={"started": 1.0})
    write_json(finished.layout.status, StatusRecord(state="running", epoch=2, process=gone))
    run = import_archive(export(finished, tmp_path / "x.zip"), target)
    assert (run.status.state, run.status.epoch) == ("stopped", 2)


def test_an_import_clears_what_killed_ones_left(zipped, target: RunStore, monkeypatch) -> None:
    (target.root / ".import.0123.tmp" / "layers").mkdir(parents=True)
    now = time.time()
    monkeypatch.setattr(atomic.time, "time", lambda: now + atomic.ABANDONED_SECONDS + 1)
    import_archive(zipped, target)
    assert [path.name for path in target.root.iterdir()] == ["done"]
