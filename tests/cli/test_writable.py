"""Folders and files that cannot be written: one sentence, before the work, and no traceback."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import rednd_core.projection as projection
import rednd_core.samples.large as large
import rednd_core.sweeps.study as study
from rednd_core.runs import RunStore

NOWHERE = [
    pytest.param("/proc/nope", marks=pytest.mark.skipif(sys.platform != "linux", reason="/proc")),
    pytest.param("/sys/fs", marks=pytest.mark.skipif(sys.platform != "linux", reason="/sys")),
    "taken",
]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working folder with a file called ``taken``."""
    monkeypatch.chdir(tmp_path)
    Path("taken").write_text("a file")


def refused(result, *words: object) -> None:
    assert (result.code, result.out) == (1, ""), result.err
    assert result.err.startswith("rednd: Expected ")
    assert "Traceback" not in result.err
    assert ".tmp" not in result.err
    for word in words:
        assert str(word) in result.err


@pytest.mark.parametrize("folder", NOWHERE)
def test_runs_folders_that_cannot_be_written(rednd, planted_folder: Path, folder: str) -> None:
    new = ("--data", planted_folder, "--model", "popularity", "--runs-dir", folder)
    refused(rednd("train", *new), Path(folder).resolve(), "--runs-dir")
    grid = ("--data", planted_folder, "--model", "mf", "--grid", "epochs=1,2")
    refused(rednd("sweep", *grid, "--runs-dir", folder), Path(folder).resolve(), "--runs-dir")
    seeds = ("--data", planted_folder, "--model", "mf", "--seeds", "1,2")
    refused(rednd("study", *seeds, "--runs-dir", folder), Path(folder).resolve(), "--runs-dir")


@pytest.mark.parametrize("folder", NOWHERE)
def test_imports_into_such_a_folder(rednd, trained: RunStore, folder: str) -> None:
    assert rednd("runs", "export", "done", "done.zip").code == 0
    result = rednd("runs", "import", "done.zip", "--runs-dir", folder)
    refused(result, Path(folder).resolve(), "--runs-dir")


def test_a_runs_folder_that_cannot_be_read(rednd, monkeypatch, tmp_path: Path) -> None:
    def closed(self):
        raise PermissionError(13, "Permission denied")

    (tmp_path / "runs").mkdir()
    monkeypatch.setattr(Path, "iterdir", closed)
    refused(rednd("runs", "list"), tmp_path / "runs", "Permission denied", "--runs-dir")


def test_a_run_that_is_closed_is_neither_deleted_nor_resumed(
    rednd, trained: RunStore, monkeypatch
) -> None:
    def closed(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", closed)
    refused(rednd("runs", "delete", "done", "--yes"), trained.root, "Permission denied")
    refused(rednd("train", "--resume", "done"), trained.root / "done", "Permission denied")
    assert trained.open("done").status.state == "finished"


@pytest.mark.parametrize("name", ["nodir/out", "taken/out"])
def test_outputs_that_cannot_be_written(rednd, trained: RunStore, name: str, monkeypatch) -> None:
    def begun(*args, **kwargs):
        raise AssertionError("the work was begun")

    monkeypatch.setattr(projection, "project", begun)
    refused(rednd("project", "--run", "done", "--out", f"{name}.csv"), f"{name}.csv")
    refused(rednd("project", "--run", "done", "--out", f"{name}.html"), f"{name}.html")
    refused(rednd("runs", "export", "done", f"{name}.zip"), f"{name}.zip")
    monkeypatch.setattr(study, "run_study", begun)
    plan = ("study", "--data", trained.open("done").config.data.path, "--model", "mf")
    for option in ("--csv", "--markdown"):
        refused(rednd(*plan, "--seeds", "1,2", option, name), name)


def test_a_folder_is_no_output(rednd, trained: RunStore) -> None:
    Path("maps.csv").mkdir()
    refused(rednd("project", "--run", "done", "--out", "maps.csv"), "maps.csv", "found a folder")
    refused(rednd("runs", "export", "done", "maps.csv"), "maps.csv", "found a folder")


def test_a_long_name_of_an_output_fits(rednd, trained: RunStore) -> None:
    """The temporary file beside it is not longer than the system allows."""
    out = Path("x" * 250 + ".zip")
    assert rednd("runs", "export", "done", out).code == 0
    assert out.stat().st_size > 1000


def test_new_folders_that_cannot_be_made(rednd, monkeypatch) -> None:
    def begun(*args, **kwargs):
        raise AssertionError("the work was begun")

    monkeypatch.setattr("rednd_core.samples.shop.shop_files", begun)
    monkeypatch.setattr(large, "plan_graph", begun)
    refused(rednd("data", "make-sample", "taken/shop"), "taken")
    refused(rednd("data", "make-graph", "--out", "taken/graph"), "taken")
    refused(rednd("bench", "--quick", "--json-dir", "taken"), "taken", "--json-dir")
