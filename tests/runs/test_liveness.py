from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from rednd_core.atomic import write_json
from rednd_core.runs import Run, StatusRecord, create_run
from rednd_core.runs.liveness import LOST_AFTER_SECONDS, process_record
from rednd_core.runs.record import ProcessRecord


@pytest.fixture
def run(store, record) -> Run:
    return Run(create_run(store.root / "r", record).path)


def dead() -> ProcessRecord:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        return process_record(process.pid)


@pytest.mark.parametrize("state", ["queued", "running", "paused"])
def test_a_dead_writer_is_lost_and_its_last_words_are_quoted(run: Run, state: str) -> None:
    run.layout.log.write_text("working\nMemoryError: no room\n\n")
    write_json(run.layout.status, StatusRecord(state=state, process=dead()))
    assert run.status.state == "lost"
    assert run.status.message.endswith("is gone: MemoryError: no room")


def test_a_living_writer_is_believed(run: Run) -> None:
    write_json(
        run.layout.status, StatusRecord(state="running", process=process_record(os.getpid()))
    )
    assert run.status.state == "running"


def test_a_reused_pid_does_not_count(run: Run) -> None:
    other = process_record(os.getpid()).model_copy(update={"started": 1.0})
    write_json(run.layout.status, StatusRecord(state="running", process=other))
    assert run.status.state == "lost"


@pytest.mark.parametrize(
    ("age", "state"), [(LOST_AFTER_SECONDS - 60, "running"), (LOST_AFTER_SECONDS + 60, "lost")]
)
def test_silence_decides_where_the_process_cannot_be_asked(
    run: Run, age: float, state: str
) -> None:
    process = process_record(os.getpid()).model_copy(update={"host": "elsewhere"})
    told = StatusRecord(state="running", process=process, heartbeat=time.time() - age)
    write_json(run.layout.status, told)
    assert run.status.state == state


def test_a_silent_process_of_this_host_is_not_lost(run: Run) -> None:
    told = StatusRecord(state="running", process=process_record(os.getpid()), heartbeat=0.0)
    write_json(run.layout.status, told)
    assert run.status.state == "running"


def test_a_job_that_dies_before_it_speaks_has_failed(run: Run) -> None:
    assert run.status.state == "queued"
    write_json(run.layout.job, dead())
    run.layout.log.write_text("Traceback\nModuleNotFoundError: No module named 'torch'\n")
    assert run.status.state == "failed"
    assert run.status.message.endswith("No module named 'torch'")


def test_an_end_between_two_looks_is_not_a_loss(run: Run, monkeypatch) -> None:
    """The process writes ``finished`` and exits after the reader has read ``running``."""
    from rednd_core.runs import run as module

    write_json(run.layout.status, StatusRecord(state="running", process=dead()))
    real = module.observed

    def slow(*args):
        write_json(run.layout.status, StatusRecord(state="finished"))
        return real(*args)

    monkeypatch.setattr(module, "observed", slow)
    assert run.status.state == "finished"


@pytest.mark.parametrize("state", ["finished", "stopped", "failed", "imported"])
def test_final_states_need_no_process(run: Run, state: str) -> None:
    write_json(run.layout.status, StatusRecord(state=state, process=dead(), heartbeat=0.0))
    assert run.status.state == state
