"""One writer a run: what a living process keeps others from, and the lock under which they ask."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from filelock import FileLock

from rednd_core.atomic import write_json
from rednd_core.config import PROJECT_ROOT
from rednd_core.errors import RunError
from rednd_core.runs import Run, RunStore, RunWriter, StatusRecord
from rednd_core.runs.liveness import process_record
from rednd_core.runs.ownership import continuing
from rednd_core.runs.store import new_run


@pytest.fixture
def silent(finished: Run) -> Run:
    """Its trainer lives, and has said nothing for an hour."""
    told = StatusRecord(
        state="running", process=process_record(os.getpid()), heartbeat=time.time() - 3600
    )
    write_json(finished.layout.status, told)
    return finished


def test_a_silent_trainer_is_neither_replaced_nor_robbed(silent: Run, store: RunStore) -> None:
    with pytest.raises(RunError, match="found the state running; stop it first"):
        store.delete(silent.name)
    with (
        pytest.raises(RunError, match="found the state running; stop it first"),
        continuing(silent),
    ):
        pass
    assert silent.status.state == "running"


def test_of_two_who_continue_a_run_one_does(finished: Run) -> None:
    done: list[str] = []

    def resume() -> None:
        try:
            with continuing(finished):
                time.sleep(0.2)
                RunWriter(finished.path).claim()
            done.append("continues")
        except RunError as error:
            done.append(error.found)

    threads = [threading.Thread(target=resume) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == ["continues", "the state running"]


def test_a_run_is_not_deleted_while_somebody_continues_it(finished: Run, store: RunStore) -> None:
    refused: list[str] = []

    def delete() -> None:
        try:
            store.delete(finished.name)
        except RunError as error:
            refused.append(error.found)

    thread = threading.Thread(target=delete)
    with continuing(finished):
        thread.start()
        time.sleep(0.2)
        RunWriter(finished.path).claim()
    thread.join()
    assert refused == ["the state running"]


def test_a_run_without_a_checkpoint_can_only_begin_again(finished: Run) -> None:
    finished.layout.last_place.unlink()
    with pytest.raises(RunError, match="a last checkpoint of done"), continuing(finished):
        pass
    assert finished.status.state == "finished"
    with continuing(finished, from_checkpoint=False):
        assert finished.status.state == "queued"


def test_a_disk_without_locks_still_takes_runs(store: RunStore, record, monkeypatch) -> None:
    def refuse(*_, **__):
        raise NotImplementedError

    monkeypatch.setattr(FileLock, "acquire", refuse)
    assert new_run(store, record.config).path.name == "lightgcn-shop-1"


def test_trainings_that_start_together_get_names_of_their_own(tmp_path: Path) -> None:
    """Each looks for a free name while the others do."""
    code = (
        "from pathlib import Path; from rednd_core.config import DataConfig, RunConfig;"
        "from rednd_core.runs import RunStore; from rednd_core.runs.store import new_run;"
        "print('ready', flush=True); input();"
        "config = RunConfig(model='mf', data=DataConfig(path='sample_data/shop'));"
        f"[new_run(RunStore(Path({str(tmp_path)!r})), config) for _ in range(20)]"
    )
    command = [sys.executable, "-c", code]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    started = [subprocess.Popen(command, cwd=PROJECT_ROOT, **pipes) for _ in range(3)]
    for process in started:
        assert process.stdout.readline() == "ready\n"
    for process in started:
        process.stdin.write("\n")
        process.stdin.flush()
    for process in started:
        process.communicate(timeout=60)
    assert [process.returncode for process in started] == [0, 0, 0]
    names = {entry.name for entry in RunStore(tmp_path).list() if entry.record}
    assert names == {f"mf-shop-{number}" for number in range(1, 61)}
