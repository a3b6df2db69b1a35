"""Training as a detached process: closing a browser tab or the app's server does not end it.

The process is ``python -m rednd_core.cli.job RUN_DIR``. It reads config.json, waits for its turn
(:func:`rednd_core.jobs.slot`), trains, and resumes from ``checkpoints/last.json`` where there
is one. Everything that it says goes through the run folder.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping

import psutil

from rednd_core.atomic import remove_folder, write_json
from rednd_core.config import PROJECT_ROOT, RunConfig
from rednd_core.errors import RunError
from rednd_core.jobs.queue import SLOTS, n_slots
from rednd_core.runs import Command, Run, RunLayout, RunStore, StatusRecord, send
from rednd_core.runs.liveness import process_record
from rednd_core.runs.ownership import continuing, living_process
from rednd_core.runs.reading import read_record
from rednd_core.runs.store import new_run

LEAN = {"PYTHONNODEBUGRANGES": "1", "PYDANTIC_DISABLE_PLUGINS": "__all__"}
"""A job that waits needs less memory without columns in tracebacks, and without a search for plugins of
pydantic in all installed packages."""
TRAIN_COMMAND = (sys.executable, "-m", "rednd_core.cli.job")


def start_training(config: RunConfig, store: RunStore, name: str | None = None) -> Run:
    """Create a queued run and start the process that trains it; returns at once."""
    run = Run(new_run(store, config, name).path)
    _spawn(run)
    return run


def start_together(trainings: Mapping[str, RunConfig], store: RunStore) -> list[Run]:
    """Create queued runs, by name, and start their processes, which may train at the same time.

    Where other trainings hold the slots, some of them wait for their turn.

    Raises:
        RunError: a name is taken or cannot be one; then no run was created.
    """
    slots = max(len(trainings), n_slots())
    runs: list[Run] = []
    try:
        for name, config in trainings.items():
            runs.append(Run(new_run(store, config, name).path))
    except BaseException:
        for run in runs:
            remove_folder(run.path)
        raise
    for run in runs:
        _spawn(run, slots)
    return runs


def resume_training(run: Run) -> Run:
    """Queue a run that is over again; it continues after its last checkpoint, or begins where it has none.

    Raises:
        RunError: it is bundled or in training.
    """
    with continuing(run, from_checkpoint=False):
        _spawn(run)
    return run


def stop(run: Run) -> None:
    """Ask the run to stop: it does so within a batch, or leaves the queue, and keeps its results."""
    send(run, Command(command="stop"))


def kill(run: Run, timeout: float = 10.0) -> None:
    """End a run that does not answer to :func:`stop`, at once; it shows as lost and can be resumed."""
    process = living_process(run)
    if process is None:
        raise RunError(
            expected=f"a living process of run {run.name} on this machine",
            found=f"none, the state is {run.status.state}",
            remedy="leave it as it is",
        )
    family = [process]
    try:
        family += process.children(recursive=True)
    except psutil.NoSuchProcess:
        return
    for member in family:
        try:
            member.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(family, timeout=timeout)


def wait(run: Run, timeout: float) -> StatusRecord:
    """The run's status once it is over, or as it is after ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    while (status := run.status).is_live and time.monotonic() < deadline:
        time.sleep(0.1)
    return status


def _spawn(run: Run, slots: int | None = None) -> None:
    """Start the training process, in a session of its own, with log.txt as its output.

    Args:
        slots: it takes one of so many; None: as the environment says.
    """
    layout = RunLayout(run.path)
    environment = os.environ | {"PYTHONUNBUFFERED": "1"} | LEAN
    if slots is not None:
        environment[SLOTS] = str(slots)
    # The child must find this very package, whatever folder or path hack the parent came from.
    paths = [str(PROJECT_ROOT), os.environ.get("PYTHONPATH", "")]
    environment["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS
    try:
        with layout.log.open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 (our own interpreter)
                [*TRAIN_COMMAND, str(run.path)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
                creationflags=flags,
            )
    except OSError as error:
        message = f"The training process could not be started: {error}"
        status = read_record(StatusRecord, layout.status)
        failed = status.model_copy(update={"state": "failed", "message": message})
        write_json(layout.status, failed)
        return
    write_json(layout.job, process_record(process.pid))
    # Reaped when it ends: a zombie would keep its pid for as long as this process lives.
    threading.Thread(target=process.wait, daemon=True).start()
