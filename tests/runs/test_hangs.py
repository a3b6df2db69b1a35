"""Nothing in a folder of runs makes a reader wait for ever, and one broken folder costs no other."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from filelock import FileLock

from rednd_core.atomic import write_json
from rednd_core.config import StrictModel
from rednd_core.errors import RedndError, RunError
from rednd_core.runs import Command, ControlReader, Run, StatusRecord, create_run, ownership, send
from rednd_core.runs.liveness import LOST_AFTER_SECONDS, process_record
from rednd_core.runs.reading import parse_record
from rednd_core.runs.record import CLOCKS, ProcessRecord, Provenance, TimedRecord
from rednd_core.sweeps.campaign_files import CampaignRecord

PIPES = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are POSIX")


def test_a_status_without_its_times_is_refused_at_once(finished: Run, store, in_time) -> None:
    """A default that was new at each reading made two looks differ for ever."""
    finished.layout.status.write_text('{"state":"running","heartbeat":1.0}')
    with in_time():
        with pytest.raises(RunError, match="no time under 'since'"):
            _ = finished.status
        (entry,) = store.list()
    assert "status.json" in entry.problem


def test_no_record_that_is_read_gets_the_time_of_now() -> None:
    """Every default that is made anew is a clock, which is refused, or gives equal values."""
    kinds = [StrictModel]
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        for name, field in kind.model_fields.items():
            made = field.default_factory
            if made is None or (made in CLOCKS and issubclass(kind, TimedRecord)):
                continue
            assert made() == made(), f"{kind.__name__}.{name}"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (StatusRecord, '{"state": "running", "since": 1.0}'),
        (Command, '{"command": "stop"}'),
        (CampaignRecord, '{"name": "a", "plan": {}, "commit": null, "data": {}, "select_by": "a"}'),
    ],
)
def test_times_are_required_of_files(kind, text: str) -> None:
    with pytest.raises(RunError, match="no time under"):
        parse_record(kind, text, "a.json")
    with pytest.raises(ValueError, match="no time under 'created'"):
        Provenance.model_validate_json('{"seed": 1}')


def test_a_status_that_changes_at_each_look_ends(finished: Run, monkeypatch, in_time) -> None:
    """Somebody rewrites the file of a dead process faster than it can be read twice."""
    from rednd_core.runs import run as module

    gone = process_record(os.getpid()).model_copy(update={"started": 1.0})
    times = iter(range(1, 10_000))

    def read(cls, path):
        if cls is ProcessRecord:
            return gone
        return StatusRecord(state="running", since=0.0, heartbeat=next(times), process=gone)

    monkeypatch.setattr(module, "read_record", read)
    with in_time():
        assert finished.status.state == "running"


def test_a_heartbeat_from_the_future_does_not_live_for_ever(finished: Run) -> None:
    other = ProcessRecord(pid=1, started=1.0, host="elsewhere")
    ahead = 32_503_679_999.0
    assert ahead > LOST_AFTER_SECONDS
    told = StatusRecord(state="running", since=0.0, heartbeat=ahead, process=other)
    write_json(finished.layout.status, told)
    assert finished.status.state == "lost"


@pytest.mark.parametrize("value", ["1e308", "-1.0", "1e11"])
def test_times_that_no_calendar_has_are_refused(finished: Run, value: str) -> None:
    text = finished.layout.status.read_text()
    since = json.loads(text)["since"]
    finished.layout.status.write_text(text.replace(f'"since": {since}', f'"since": {value}'))
    with pytest.raises(RunError, match="at since"):
        _ = finished.status


@pytest.mark.parametrize("year", ["0001", "1969", "3000", "9999"])
def test_birthdays_that_no_calendar_has_are_refused(finished: Run, year: str) -> None:
    text = json.loads(finished.layout.config.read_text())
    text["provenance"]["created"] = f"{year}-06-01T00:00:00Z"
    finished.layout.config.write_text(json.dumps(text))
    with pytest.raises(RunError, match=r"at provenance\.created"):
        _ = finished.record


FILES = [
    "config.json",
    "status.json",
    "job.json",
    "metrics.jsonl",
    "evaluation.json",
    "per_user.parquet",
    "log.txt",
    "layers/index.json",
    "layers/users.npy",
    "control/00000000000000000001-0123abcd.json",
]


@PIPES
@pytest.mark.parametrize("file", FILES)
def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(
    finished: Run, store, record, file: str, in_time
) -> None:
    create_run(store.root / "healthy", record)
    if file == "job.json":  # read for a live state only
        status = finished.status.model_copy(update={"state": "queued"})
        write_json(finished.layout.status, status)
    (finished.path / file).unlink(missing_ok=True)
    os.mkfifo(finished.path / file)
    with in_time():
        entries = {entry.name: entry for entry in store.list()}
        for look in (Run.metrics, Run.layers, Run.per_user, lambda run: run.log_tail(1)):
            try:
                look(finished)
            except RedndError as error:
                assert "\n" not in str(error)  # noqa: PT017 - some looks are about other files
        ControlReader(finished.path).poll()
    assert entries["healthy"].problem == ""


@pytest.mark.parametrize("file", ["config.json", "status.json", "evaluation.json"])
def test_a_fat_file_is_a_problem_of_its_run_alone(finished: Run, store, record, file: str) -> None:
    create_run(store.root / "healthy", record)
    with (finished.path / file).open("r+b") as stream:
        stream.truncate(100 * 1024**2)
    entries = {entry.name: entry for entry in store.list()}
    assert "at most 1048576 are read" in entries["done"].problem
    assert entries["healthy"].problem == ""


def test_a_folder_that_the_system_does_not_show_costs_no_other(
    finished: Run, store, monkeypatch
) -> None:
    (store.root / "closed").mkdir()
    real = Path.is_dir

    def is_dir(path: Path) -> bool:
        if path.name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(Path, "is_dir", is_dir)
    assert [entry.name for entry in store.list()] == ["done"]


def test_the_lock_of_a_folder_of_runs_is_not_waited_for_without_a_bound(
    store, record, monkeypatch, in_time
) -> None:
    store.root.mkdir()
    monkeypatch.setattr(ownership, "LOCK_SECONDS", 0.1)
    held = FileLock(store.root / ".jobs.lock", is_singleton=False)
    refused = pytest.raises(RunError, match="another process that holds it")
    with held, in_time(), refused, ownership.preparing(store.root):
        pass


NAME = "00000000000000000001-0123abcd.json"


@pytest.mark.parametrize("kind", ["folder", "broken link", "link to a folder", "circle"])
def test_what_is_only_named_like_a_command_ends_no_training(
    store, record, kind: str, caplog
) -> None:
    writer = create_run(store.root / "live", record)
    writer.status("running")
    place = writer.layout.control / NAME
    if kind == "folder":
        place.mkdir()
    else:
        targets = {"broken link": "nowhere", "circle": NAME, "link to a folder": str(store.root)}
        place.symlink_to(targets[kind])
    send(Run(writer.path), Command(command="pause"))
    assert [c.command for c in writer.control.waiting()] == ["pause"]
    assert [c.command for c in writer.control.poll()] == ["pause"]
    assert writer.control.poll() == []
    assert len(caplog.records) <= 1, "told once"
    writer.control.clear()


def test_a_command_after_the_last_stamp_still_arrives(store, record) -> None:
    """A stray name of 20 nines made the next command's name one digit longer, which nobody read."""
    writer = create_run(store.root / "live", record)
    writer.status("running")
    (writer.layout.control / f"{'9' * 20}-0123abcd.json").write_text("{}")
    send(Run(writer.path), Command(command="stop"))
    assert [c.command for c in writer.control.poll()] == ["stop"]
