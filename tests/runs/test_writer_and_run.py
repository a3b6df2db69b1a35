from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from rednd_core.errors import RunError, StorageError
from rednd_core.runs import Run, RunWriter, create_run, writer


def test_a_finished_run_reads_back(finished: Run, record) -> None:
    assert finished.record == record
    assert finished.config.model == "lightgcn"
    status = finished.status
    assert (status.state, status.epoch, status.best_epoch) == ("finished", 2, 2)
    frame = finished.metrics()
    assert frame["epoch"].tolist() == [1, 2]
    assert frame["losses.bpr"].tolist() == [0.5, 0.25]
    assert frame["valid.recall@20"].tolist() == [0.1, 0.2]
    assert [event["event"] for event in finished.events()] == ["paused"]
    assert finished.evaluation().test == {"recall@20": None}
    per_user = finished.per_user()
    assert per_user["user"].tolist() == [0, 2]
    assert per_user["split"].tolist() == ["valid", "test"]
    user_emb, item_emb = finished.embeddings()
    assert user_emb.shape == (3, 4)
    assert item_emb.shape == (2, 4)
    assert finished.log_tail(1) == "epoch 2"
    assert finished.disk_bytes == sum(f.stat().st_size for f in finished.path.rglob("*.*"))


def test_a_new_run_is_queued_and_empty(store, record) -> None:
    run = Run(create_run(store.root / "new", record).path)
    assert run.status.state == "queued"
    assert run.status.process is None
    assert run.metrics().empty
    assert run.events() == []
    assert run.evaluation() is None
    assert run.per_user() is None
    assert run.layer_version is None
    assert run.log_tail(5) == ""


def test_an_existing_run_is_not_overwritten(store, record, finished: Run) -> None:
    before = finished.layout.status.read_bytes()
    with pytest.raises(RunError, match="no run called done"):
        create_run(store.root / "done", record)
    assert finished.layout.status.read_bytes() == before
    assert [path.name for path in store.root.iterdir()] == ["done"]


@pytest.mark.parametrize("name", ["-", ".hidden", "a b", "x" * 101, "end.", "é"])
def test_odd_names(store, record, name: str) -> None:
    with pytest.raises(RunError, match="a run name"):
        create_run(store.root / name, record)
    assert not store.root.exists()


def test_status_keeps_what_is_not_given(store, record) -> None:
    w = create_run(store.root / "r", record)
    w.status("running", epoch=3, best_epoch=2, message="slow")
    since = Run(w.path).status.since
    w.status(epoch=4)
    status = Run(w.path).status
    assert (status.state, status.epoch, status.best_epoch, status.message) == ("running", 4, 2, "")
    assert status.since == since
    assert status.process.pid == os.getpid()
    w.status("paused")
    assert Run(w.path).status.since > since


def test_heartbeats_are_throttled(store, record, monkeypatch) -> None:
    w = create_run(store.root / "r", record)
    w.status("running")
    first = Run(w.path).status.heartbeat
    w.heartbeat()
    assert Run(w.path).status.heartbeat == first
    now = writer.time.monotonic()
    monkeypatch.setattr(writer.time, "monotonic", lambda: now + writer.HEARTBEAT_SECONDS + 1)
    w.heartbeat()
    assert Run(w.path).status.heartbeat > first


def test_a_long_piece_of_work_beats(store, record, monkeypatch) -> None:
    monkeypatch.setattr(writer, "HEARTBEAT_SECONDS", 0.02)
    monkeypatch.setattr(writer, "BEAT_SECONDS", 0.01)
    w = create_run(store.root / "r", record)
    w.claim()
    first = Run(w.path).status
    with w.beating():
        deadline = time.monotonic() + 30
        while Run(w.path).status.heartbeat == first.heartbeat:
            assert time.monotonic() < deadline
    last = Run(w.path).status
    assert (last.state, last.message) == ("running", "Reading the data")
    time.sleep(0.05)
    assert Run(w.path).status == last, "over"


def test_a_half_written_last_line_is_ignored_then_cut(finished: Run) -> None:
    with finished.layout.metrics.open("ab") as file:
        file.write(b'{"epoch": 3, "los')
    assert finished.metrics()["epoch"].tolist() == [1, 2]
    RunWriter(finished.path).append_metrics({"epoch": 3, "losses": {"bpr": np.float32(0.125)}})
    assert finished.metrics()["epoch"].tolist() == [1, 2, 3]
    assert finished.metrics()["losses.bpr"].tolist() == [0.5, 0.25, 0.125]


def test_a_diverged_loss_is_null(finished: Run) -> None:
    RunWriter(finished.path).append_metrics({"epoch": 3, "losses": {"bpr": float("nan")}})
    last = finished.layout.metrics.read_text().splitlines()[-1]
    assert json.loads(last) == {"epoch": 3, "losses": {"bpr": None}}
    assert np.isnan(finished.metrics()["losses.bpr"].iloc[-1])


@pytest.mark.skipif(sys.platform != "linux", reason="a limit on the size of files")
def test_a_full_disk_takes_no_half_line(finished: Run) -> None:
    """As far as a file may grow here there is room for half a line; the state still says what happened."""
    import resource

    w = RunWriter(finished.path)
    w.append_event("note", text="x" * 1500)
    size = finished.layout.metrics.stat().st_size
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, old[1]))
    try:
        with pytest.raises(StorageError, match="found a full disk"), w.recording_failure():
            raise OSError(28, "No space left on device")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, ignored)
    assert finished.layout.metrics.stat().st_size == size
    assert finished.status.state == "failed"
    assert "free some space, then resume the run done" in finished.status.message
    w.append_metrics({"epoch": 3})
    assert finished.metrics()["epoch"].tolist() == [1, 2, 3]


def test_the_first_error_is_raised_where_nothing_can_be_written(finished: Run, monkeypatch) -> None:
    w = RunWriter(finished.path)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writer.atomic, "write_json", full)
    monkeypatch.setattr(w, "_append", full)
    with pytest.raises(MemoryError, match="no room"), w.recording_failure():
        raise MemoryError("no room")


@pytest.mark.parametrize("row", [{}, {"epoch": 1.0}, {"epoch": 1, "event": "x"}])
def test_metrics_need_an_epoch(finished: Run, row: dict) -> None:
    with pytest.raises(RunError, match="integer 'epoch'"):
        RunWriter(finished.path).append_metrics(row)


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"user": [1]}),
        pd.DataFrame({"user": ["u1"], "split": ["test"]}),
        pd.DataFrame({"user": [1], "split": ["train"]}),
        pd.DataFrame([[1, "test", 0.5, 0.5]], columns=["user", "split", "m", "m"]),
        pd.DataFrame({"user": [1], "split": ["test"], "title": ["a"]}),
        pd.DataFrame({"user": [1], "split": ["test"], "recall": [[0.5]]}),
    ],
)
def test_per_user_tables_have_known_columns(finished: Run, frame: pd.DataFrame) -> None:
    with pytest.raises(RunError, match="a per-user table"):
        RunWriter(finished.path).save_per_user(frame)
    assert len(finished.per_user()) == 2


def test_leftovers_of_a_killed_writer_are_cleared(finished: Run) -> None:
    leftover = finished.layout.layers / ".id_0.npy.0123456789ab.tmp"
    leftover.write_bytes(b"half")
    sent = finished.layout.control / ".1.json.0123456789ab.tmp"
    sent.write_bytes(b"half")
    RunWriter(finished.path)
    assert not leftover.exists()
    assert sent.exists(), "somebody may be sending it"
    assert finished.layers()["id"][0].shape == (5, 4)


def test_importing_runs_is_light() -> None:
    code = (
        "import sys, rednd_core.runs, rednd_core.jobs;"
        "print({'torch', 'pandas', 'pyarrow', 'safetensors', 'scipy'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "set()", result.stderr
