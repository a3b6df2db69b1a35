"""A disk that is full at each write in turn: one sentence, nothing half-written, and the run goes on later.

Every whole file goes through ``atomic.stage``, which ends with ``os.fsync``: that is where the disk is full
here, when the content is in the file and its name is not yet given.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rednd_core.runs import Run, RunStore

NO_LIMIT = 10**9


class Disk:
    """Counts what is written, and refuses the writings from ``first`` to ``last``."""

    def __init__(self) -> None:
        self.first = self.last = NO_LIMIT
        self.written = 0
        self._fsync = os.fsync

    def fsync(self, file: int) -> None:
        number, self.written = self.written, self.written + 1
        if self.first <= number <= self.last:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._fsync(file)

    @contextmanager
    def full(self, first: int, last: int) -> Iterator[None]:
        self.first, self.last, self.written = first, last, 0
        try:
            yield
        finally:
            self.first = self.last = NO_LIMIT


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    disk = Disk()
    monkeypatch.setattr(os, "fsync", disk.fsync)
    return disk


def require_a_sentence(result, root: Path) -> None:
    assert result.code == 1
    assert "Traceback" not in result.err
    last = result.err.strip().splitlines()[-1]
    assert last.startswith("rednd: Expected room on the disk for "), last
    assert "found a full disk; free some space, then " in last
    assert leftovers(root) == []


def leftovers(root: Path) -> list[str]:
    return [path.name for path in root.rglob(".*.tmp")]


def outcome(run: Run) -> tuple[object, ...]:
    parts = [run.layout.users.read_bytes(), run.layout.items.read_bytes(), run.evaluation()]
    return (*parts, run.metrics()["losses.bpr"].tolist(), run.status.best_epoch)


@pytest.fixture
def train(rednd, planted_folder: Path, quick) -> Callable[[str], object]:
    command = ("train", "--data", planted_folder, "--model", "lightgcn", *quick)
    return lambda name: rednd(*command, "--run", name)


def test_training_survives_one_refusal_at_each_write(
    disk: Disk, train, rednd, tmp_path: Path, monkeypatch
) -> None:
    """Every second is rounded away, so that each trial writes the same files in the same order."""
    from rednd_core.training import run_log

    monkeypatch.setattr(run_log, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(run_log, "MAX_SHARE", NO_LIMIT)
    monkeypatch.setattr(run_log, "STATUS_SECONDS", 1e9)
    monkeypatch.setattr(run_log, "LAYER_SECONDS", 0.0)
    store = RunStore(tmp_path / "runs")
    with disk.full(NO_LIMIT, NO_LIMIT):
        assert train("whole").code == 0
    n_writes, expected = disk.written, outcome(store.open("whole"))
    assert n_writes > 30
    n_resumed = 0
    for number in (*range(6), *range(6, n_writes, 4)):  # every write of a kind
        name = f"cut-{number}"
        with disk.full(number, number):
            require_a_sentence(train(name), store.root)
        if not (store.root / name).exists():
            assert number < 4, "a run that was refused before it had a model is removed"
            continue
        run = store.open(name)
        assert run.status.state == "failed"
        assert "a full disk" in run.status.message
        if run.layout.last_place.exists():
            assert rednd("train", "--resume", name).code == 0
            assert outcome(run) == expected, f"the write {number}"
            n_resumed += 1
    assert n_resumed > 3


def test_a_disk_that_stays_full(disk: Disk, train, tmp_path: Path) -> None:
    for number in range(0, 24, 6):
        with disk.full(number, NO_LIMIT):
            require_a_sentence(train(f"cut-{number}"), tmp_path / "runs")


def test_export_and_project(disk: Disk, rednd, trained: RunStore, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    commands = (
        ("runs", "export", "done", out / "done.zip"),
        ("project", "--run", "done", "--out", out / "map.csv"),
    )
    for command in commands:
        with disk.full(NO_LIMIT, NO_LIMIT):
            assert rednd(*command).code == 0
        for file in out.iterdir():
            file.unlink()
        # The map is known by now: the output is the only file that is written.
        with disk.full(0, 0):
            require_a_sentence(rednd(*command), out)
        assert list(out.iterdir()) == []


def test_import(disk: Disk, rednd, trained: RunStore, tmp_path: Path) -> None:
    archive = tmp_path / "done.zip"
    assert rednd("runs", "export", "done", archive).code == 0
    command = ("runs", "import", archive, "--run", "again")
    with disk.full(NO_LIMIT, NO_LIMIT):
        assert rednd(*command).code == 0
    assert rednd("runs", "delete", "again", "--yes").code == 0
    for number in range(disk.written):
        with disk.full(number, number):
            require_a_sentence(rednd(*command), trained.root)
        assert [entry.name for entry in trained.list() if not entry.run.bundled] == ["done"]


def test_a_fault_of_the_disk_that_is_no_lack_of_room(rednd, tmp_path: Path, monkeypatch) -> None:
    def refuse(*_args: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO), "/disk/file")

    monkeypatch.setattr(RunStore, "list", refuse)
    result = rednd("runs", "list")
    assert result.code == 1
    assert result.err.count("\n") == 1
    assert "to read or write /disk/file" in result.err
