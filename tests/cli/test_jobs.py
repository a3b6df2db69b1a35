"""Real training processes behind ``rednd_core.jobs``."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from filelock import FileLock

from rednd_core import jobs
from rednd_core.cli import job
from rednd_core.config import DataConfig, RunConfig, TrainingConfig
from rednd_core.runs import Command, Run, RunStore, send
from rednd_core.runs.store import new_run
from rednd_core.training import memory

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    store = RunStore(tmp_path / "runs")
    yield store
    for entry in store.list():
        if entry.status and entry.status.is_live:
            jobs.kill(entry.run)


@pytest.fixture
def endless(planted_folder: Path) -> RunConfig:
    return RunConfig(
        model="rednnd",
        data=DataConfig(path=str(planted_folder)),
        hyperparameters={"embedding_size": 4, "knn_k": 3, "alignment_weight": 0.01},
        training=TrainingConfig(
            epochs=100_000,
            patience=10_000,
            batch_size=64,
            ks=(5,),
            select_by="recall@5",
            device="cpu",
            engine="csr",
        ),
    )


def until(condition: Callable[[], bool], run: Run, seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert run.status.is_live or condition(), (run.status, run.log_tail(20))
        assert time.monotonic() < deadline, (run.status, run.log_tail(20))
        time.sleep(0.05)


def n_epochs(run: Run) -> int:
    return len(run.metrics())


def test_queue_weight_stop_kill_and_resume(store: RunStore, endless: RunConfig) -> None:
    """One story, because each process costs seconds to start."""
    first = jobs.start_training(endless, store)
    second = jobs.start_training(endless, store, "second")
    until(lambda: n_epochs(first) >= 2, first)
    assert first.status.state == "running"
    assert second.status.state == "queued"

    send(first, Command(command="set_weight", loss="alignment", value=0.5))
    send(first, Command(command="set_weight", loss="alignmnt", value=0.5))
    until(lambda: len(first.events()) == 2, first)
    assert [event["event"] for event in first.events()] == ["set_weight", "refused"]
    after = first.events()[0]["epoch"] + 2
    until(lambda: n_epochs(first) >= after, first)
    weights = first.metrics()["weights.alignment"]
    assert weights.iloc[0] == 0.01
    assert weights.iloc[-1] == 0.5

    jobs.stop(first)
    assert jobs.wait(first, timeout=120).state == "stopped"
    assert first.evaluation() is not None
    assert first.layers().epoch == first.status.best_epoch
    assert "epoch 1" in first.layout.log.read_text()

    until(lambda: n_epochs(second) >= 1, second)  # its turn has come
    os.kill(second.status.process.pid, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while second.status.state != "lost" and time.monotonic() < deadline:
        time.sleep(0.05)
    assert second.status.state == "lost"

    before = n_epochs(first)
    jobs.resume_training(first)
    until(lambda: n_epochs(first) > before, first)
    assert first.events()[3]["event"] == "continued"
    assert first.metrics()["weights.alignment"].iloc[-1] == 0.5, "the changed weight is kept"
    epochs = first.metrics()["epoch"].tolist()
    assert epochs == list(range(1, len(epochs) + 1))
    jobs.stop(first)
    assert jobs.wait(first, timeout=120).state == "stopped"


def test_a_job_that_cannot_train_says_why(store: RunStore, endless: RunConfig) -> None:
    missing = endless.model_copy(update={"data": DataConfig(path="/nonexistent/shop")})
    run = jobs.start_training(missing, store)
    status = jobs.wait(run, timeout=120)
    assert status.state == "failed"
    assert status.message.startswith("Expected")
    with suppress(psutil.NoSuchProcess):  # the last line comes after the last status
        psutil.Process(status.process.pid).wait(timeout=60)
    assert "rednd: Expected" in run.log_tail(1)


def test_jobs_side_by_side_share_the_memory(store, endless, monkeypatch, capsys) -> None:
    """Each of them sees as free what the others are still going to take."""
    monkeypatch.setenv(memory.MEMORY_SHARE, "")  # what the command sets is undone then
    monkeypatch.delenv(memory.MEMORY_SHARE)
    monkeypatch.setattr(memory, "whole_memory", lambda: 3_000)
    for n_jobs, found in (("1", "finished"), ("2", "0.0 GB for one of several workers")):
        monkeypatch.setenv("REDND_JOB_SLOTS", n_jobs)
        short = endless.model_copy(
            update={"training": endless.training.model_copy(update={"epochs": 1})}
        )
        writer = new_run(store, short, f"one-of-{n_jobs}")
        monkeypatch.setattr(sys, "argv", ["job", str(writer.path)])
        with suppress(SystemExit):
            job.main()
        assert found in f"{store.open(writer.path.name).status.state} {capsys.readouterr().err}"
    assert os.environ[memory.MEMORY_SHARE] == "1500"


@pytest.mark.skipif(
    sys.platform != "linux", reason="other systems do not tell a process's own memory"
)
def test_a_job_that_waits_holds_little_memory_of_its_own(
    store: RunStore, endless: RunConfig
) -> None:
    """Below 20 MB, without torch (198 MB), numpy and what reads foreign files; shared pages do not count."""
    store.root.mkdir()
    with FileLock(store.root / ".slot-0.lock"):
        run = jobs.start_training(endless, store)
        until(lambda: run.status.message == "Waiting for its turn", run)
        time.sleep(1.0)  # it has looked whose turn it is
        process = psutil.Process(run.status.process.pid)
        maps = {Path(part.path).name for part in process.memory_maps()}
        own = process.memory_full_info().uss
        jobs.stop(run)
        assert jobs.wait(run, timeout=60).state == "stopped"
    assert not [name for name in maps if "torch" in name or "multiarray" in name]
    assert own < 20e6, f"{own / 1e6:.1f} MB"
