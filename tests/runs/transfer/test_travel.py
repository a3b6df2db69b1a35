"""A run leaves one store and arrives whole in another, under a name of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from rednd_core.errors import CheckpointError, RunError
from rednd_core.runs import Run, RunStore, StatusRecord, create_run, export, import_archive
from rednd_core.runs.atomic import write_json
from rednd_core.runs.liveness import process_record
from tests.runs.transfer.archives import files_of


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
    finished.layout.log.unlink()
    finished.layout.log.symlink_to(secret)
    (finished.path / "notes.md").write_text("mine")
    names = files_of(export(finished, tmp_path / "x.zip").read_bytes())
    assert "done/config.json" in names
    assert not {"done/log.txt", "done/notes.md"} & set(names)


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
