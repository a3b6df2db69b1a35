from __future__ import annotations

import json
import shutil
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from rednd_core.errors import RunError
from rednd_core.runs import Command, ControlReader, Run, control, create_run, send


@pytest.fixture
def run(store, record) -> Run:
    writer = create_run(store.root / "live", record)
    writer.status("running")
    return store.open("live")


def test_commands_arrive_once_and_in_order(run: Run) -> None:
    sent = [
        Command(command="pause"),
        Command(command="set_weight", loss="alignment", value=0.01),
        Command(command="resume"),
    ]
    for command in sent:
        send(run, command)
    reader = ControlReader(run.path)
    assert reader.waiting() == sent
    assert reader.poll() == sent
    assert reader.poll() == []


def test_several_writers_lose_nothing_while_the_reader_reads(run: Run) -> None:
    def burst(writer: int) -> None:
        for i in range(25):
            send(run, Command(command="set_weight", loss=f"w{writer}", value=i))

    reader, got = ControlReader(run.path), []
    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(burst, writer) for writer in range(4)]
        while not all(job.done() for job in jobs):
            got += reader.poll()
    for job in jobs:
        job.result()
    got += reader.poll()
    for writer in range(4):
        assert [c.value for c in got if c.loss == f"w{writer}"] == list(range(25))
    assert len(got) == 100


def test_order_survives_a_clock_that_steps_back(run: Run, monkeypatch) -> None:
    send(run, Command(command="pause"))
    monkeypatch.setattr(time, "time_ns", lambda: 1)
    send(run, Command(command="resume"))
    assert [c.command for c in ControlReader(run.path).poll()] == ["pause", "resume"]


def test_a_malformed_command_is_dropped_and_logged(run: Run, caplog) -> None:
    (run.layout.control / f"{1:020d}-0123abcd.json").write_text('{"command": "explode"}')
    (run.layout.control / "notes.txt").write_text("not a command")
    send(run, Command(command="stop"))
    assert [c.command for c in ControlReader(run.path).poll()] == ["stop"]
    assert "Dropped a command" in caplog.text
    assert [path.name for path in run.layout.control.iterdir()] == ["notes.txt"]


def test_who_only_looks_takes_nothing_away(run: Run) -> None:
    stray = run.layout.control / f"{1:020d}-0123abcd.json"
    stray.write_text('{"command": "explode"}')
    send(run, Command(command="stop"))
    assert [c.command for c in ControlReader(run.path).waiting()] == ["stop"]
    assert stray.exists()


def test_a_look_while_the_trainer_takes_commands(run: Run, monkeypatch) -> None:
    """One file vanishes between the look at the folder and the look into it, then the whole run."""
    send(run, Command(command="pause"))
    reader, names = ControlReader(run.path), control._names

    def late(folder):
        found = names(folder)
        for name in found:
            (folder / name).unlink()
        return found

    monkeypatch.setattr(control, "_names", late)
    assert reader.waiting() == []
    shutil.rmtree(run.path)
    assert reader.waiting() == reader.poll() == []


def test_a_run_that_is_over_takes_no_commands(finished: Run) -> None:
    with pytest.raises(RunError, match="found the state finished"):
        send(finished, Command(command="pause"))


def test_an_idle_poll_is_cheap(run: Run) -> None:
    reader = ControlReader(run.path)
    times = []
    for _ in range(500):
        start = time.perf_counter()
        reader.poll()
        times.append(time.perf_counter() - start)
    assert sorted(times)[250] < 100e-6  # about 10 µs; the margin is for busy machines


def test_a_command_without_a_ticket_is_what_older_trainers_read(run: Run) -> None:
    send(run, Command(command="stop"))
    (file,) = run.layout.control.iterdir()
    assert set(json.loads(file.read_text())) == {"format", "command", "sent"}
