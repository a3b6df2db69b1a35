"""Real processes, with a stub in place of training."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rednd_core import jobs
from rednd_core.config import DataConfig, RunConfig
from rednd_core.errors import ConfigError, RunError
from rednd_core.jobs import process, queue
from rednd_core.runs import Command, Run, RunStore, send

STUB = (sys.executable, str(Path(__file__).with_name("stub.py")))

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")


def config(model: str = "stub") -> RunConfig:
    return RunConfig(model=model, data=DataConfig(path="sample_data/shop"))


@pytest.fixture
def store(tmp_path: Path, monkeypatch) -> Iterator[RunStore]:
    monkeypatch.setattr(process, "TRAIN_COMMAND", STUB)
    store = RunStore(tmp_path / "runs")
    yield store
    for entry in store.list():
        if entry.status and entry.status.is_live:
            jobs.kill(entry.run)


def until(condition: Callable[[], bool], seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.02)


def until_state(run: Run, state: str) -> None:
    until(lambda: run.status.state == state)


def go(run: Run) -> None:
    (run.path / "go").touch()


def pid_of(run: Run) -> int:
    found = run.status.process
    assert found is not None
    return found.pid


def test_a_job_runs_detached_and_finishes(store: RunStore) -> None:
    run = jobs.start_training(config(), store)
    assert run.name == "stub-shop-1"
    until_state(run, "running")
    assert os.getsid(pid_of(run)) == pid_of(run) != os.getsid(0)
    go(run)
    status = jobs.wait(run, timeout=120)
    assert (status.state, status.epoch) == ("finished", 1)
    assert run.log_tail(1) == "stub ready"


def test_wait_gives_up(store: RunStore) -> None:
    run = jobs.start_training(config(), store)
    assert jobs.wait(run, timeout=0.1).is_live


def test_a_job_outlives_its_parent(store: RunStore) -> None:
    code = (
        "from pathlib import Path; from rednd_core.jobs import process;"
        "from rednd_core.config import DataConfig, RunConfig; from rednd_core.runs import RunStore;"
        f"process.TRAIN_COMMAND = {STUB!r};"
        "c = RunConfig(model='stub', data=DataConfig(path='sample_data/shop'));"
        f"process.start_training(c, RunStore(Path({str(store.root)!r})), 'orphan')"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    run = store.open("orphan")
    until_state(run, "running")
    jobs.stop(run)
    until_state(run, "stopped")


def test_a_killed_job_is_lost_and_can_be_resumed(store: RunStore) -> None:
    run = jobs.start_training(config(), store)
    until_state(run, "running")
    send(run, Command(command="pause"))
    os.kill(pid_of(run), signal.SIGKILL)
    until(lambda: run.status.state == "lost", seconds=5)
    with pytest.raises(RunError, match="found the state lost"):
        jobs.stop(run)
    go(run)
    jobs.resume_training(run)
    assert list(run.layout.control.iterdir()) == []  # commands to the dead process
    assert jobs.wait(run, timeout=120).state == "finished"
    assert [event["event"] for event in run.events()] == ["started", "started"]


def test_a_job_that_dies_at_import_has_failed(store: RunStore) -> None:
    run = jobs.start_training(config("broken"), store)
    until_state(run, "failed")
    assert run.status.message.endswith("ImportError: no module named brain")


def test_a_command_that_does_not_exist_has_failed(store: RunStore, monkeypatch) -> None:
    monkeypatch.setattr(process, "TRAIN_COMMAND", ("/nonexistent/python",))
    run = jobs.start_training(config(), store)
    assert run.status.state == "failed"
    assert "could not be started" in run.status.message


def test_three_jobs_take_turns_in_order(store: RunStore) -> None:
    runs = [jobs.start_training(config(), store) for _ in range(3)]
    for run in runs:
        until_state(run, "running")
        later = runs[runs.index(run) + 1 :]
        assert all(other.status.state == "queued" for other in later)
        go(run)
    for run in runs:
        assert jobs.wait(run, timeout=120).state == "finished"
    started = [run.events()[0]["time"] for run in runs]
    assert started == sorted(started)


def test_a_killed_job_frees_its_slot_and_a_queued_one_can_be_stopped(store: RunStore) -> None:
    first, second, third = (jobs.start_training(config(), store) for _ in range(3))
    until_state(first, "running")
    until(lambda: second.status.process is not None)
    jobs.stop(second)
    until_state(second, "stopped")
    assert second.events() == []
    assert third.status.state == "queued"
    jobs.kill(first)
    assert first.status.state == "lost"
    until_state(third, "running")


def test_a_dead_waiter_does_not_hold_up_the_queue(store: RunStore) -> None:
    first, second, third = (jobs.start_training(config(), store) for _ in range(3))
    until_state(first, "running")
    until(lambda: second.status.process is not None)
    jobs.kill(second)
    go(first)
    until_state(third, "running")


def test_two_slots_run_two(store: RunStore, monkeypatch) -> None:
    monkeypatch.setenv("REDND_JOB_SLOTS", "2")
    first, second, third = (jobs.start_training(config(), store) for _ in range(3))
    until_state(first, "running")
    until_state(second, "running")
    until(lambda: third.status.process is not None)
    time.sleep(2 * queue.POLL_SECONDS)
    assert third.status.state == "queued"


def test_live_runs_are_neither_resumed_nor_deleted(store: RunStore) -> None:
    run = jobs.start_training(config(), store)
    with pytest.raises(RunError, match="stop it first"):
        jobs.resume_training(run)
    with pytest.raises(RunError, match="stop it first"):
        store.delete(run.name)
    with pytest.raises(RunError, match="no run called"):
        jobs.start_training(config(), store, run.name)
    jobs.kill(run)
    with pytest.raises(RunError, match="a living process"):
        jobs.kill(run)


@pytest.mark.parametrize("name", ["../evil", "a/b", ".x"])
def test_names_that_leave_the_store(store: RunStore, name: str) -> None:
    with pytest.raises(RunError, match="a run name"):
        jobs.start_training(config(), store, name)
    assert list(store.list()) == []


@pytest.mark.parametrize("text", ["0", "-1", "two", ""])
def test_impossible_slots(monkeypatch, text: str) -> None:
    monkeypatch.setenv("REDND_JOB_SLOTS", text)
    with pytest.raises(ConfigError, match="REDND_JOB_SLOTS"):
        queue.n_slots()


def test_twins_train_at_once_though_there_is_one_slot(store: RunStore) -> None:
    runs = jobs.start_together({"left": config(), "right": config()}, store)
    assert [run.name for run in runs] == ["left", "right"]
    for run in runs:
        until_state(run, "running")
    alone = jobs.start_training(config(), store, "alone")
    until(lambda: "Waiting" in alone.status.message)
    assert alone.status.state == "queued"
    for run in runs:
        assert run.status.state == "running"
        go(run)


def test_twins_are_started_both_or_none(store: RunStore) -> None:
    taken = jobs.start_training(config(), store, "right")
    with pytest.raises(RunError, match="no run called right"):
        jobs.start_together({"left": config(), "right": config()}, store)
    assert [entry.name for entry in store.list()] == [taken.name]
