"""Whose run is it? A run has one writer at a time; here is asked who may begin, continue or delete one.

What asks and what then happens are under one lock a folder of runs, so that two clicks, two commands or
one of each do not become two processes of one run.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from rednd_core.atomic import ABANDONED_SECONDS, remove_leftovers
from rednd_core.config import RunConfig, resolve_data_path
from rednd_core.errors import RunError
from rednd_core.places import make_folder
from rednd_core.runs.liveness import find_process
from rednd_core.runs.record import (
    ProcessRecord,
    Provenance,
    RunRecord,
    StatusRecord,
    read_record,
)
from rednd_core.runs.run import Run
from rednd_core.runs.writer import RunWriter, create_run, requeue

if TYPE_CHECKING:
    import psutil

    from rednd_core.runs.store import RunStore

EXIT_SECONDS = 20.0
"""How long a trainer that has said its last word may take to leave the libraries it has loaded."""


@contextmanager
def preparing(root: Path) -> Iterator[None]:
    """Hold the lock of the runs in ``root``, which must not be held already; clears what is abandoned.

    Raises:
        RunError: ``root`` cannot be written.
    """
    make_folder(root)
    lock = FileLock(root / ".jobs.lock")
    with suppress(NotImplementedError):  # some network disks know no locks
        lock.acquire()
    try:
        remove_leftovers(root, older_than=ABANDONED_SECONDS)
        yield
    finally:
        lock.release()


def new_run(store: RunStore, config: RunConfig, name: str | None = None) -> RunWriter:
    """The writer of a new queued run; without ``name`` it gets the next free one.

    Raises:
        RunError: the name is taken or cannot be one.
    """
    with preparing(store.root):
        dataset = resolve_data_path(config.data.path).stem
        folder = store.place(name or store.new_name(config.model, dataset))
        record = RunRecord(config=config, provenance=Provenance(seed=config.training.seed))
        return create_run(folder, record)


@contextmanager
def continuing(run: Run, *, from_checkpoint: bool = True) -> Iterator[None]:
    """Set a run that is over back to ``queued``; the block must name the process that goes on.

    Args:
        from_checkpoint: refuse a run that would have to begin again.

    Raises:
        RunError: it is bundled, in training, or has no checkpoint.
    """
    if run.bundled:
        raise RunError(
            expected="a run of your own",
            found=f"{run.name}, a bundled run, which is never changed",
            remedy="train a new run",
        )
    make_folder(run.path)
    with preparing(run.path.parent):
        require_over(run)
        if from_checkpoint and not run.layout.last_place.exists():
            raise RunError(
                expected=f"a last checkpoint of {run.name} to continue from",
                found="none",
                remedy="start a new run",
            )
        _await_exit(run)
        requeue(run.path)
        yield


def require_over(run: Run) -> None:
    """Refuse a run that somebody trains, or is about to.

    Raises:
        RunError: its state is a live one.
    """
    status = run.status
    if status.is_live:
        raise RunError(
            expected=f"run {run.name} to be over",
            found=f"the state {status.state}",
            remedy="stop it first",
        )


def living_process(run: Run) -> psutil.Process | None:
    """The living process of ``run`` on this machine: the one that writes, or was started to."""
    record = read_record(StatusRecord, run.layout.status).process or _job(run)
    return find_process(record) if record else None


def _job(run: Run) -> ProcessRecord | None:
    return read_record(ProcessRecord, run.layout.job) if run.layout.job.exists() else None


def _await_exit(run: Run) -> None:
    """Let the job that trained ``run`` end: it writes no more, but may still hold memory."""
    import psutil

    job = _job(run)
    if job is not None and (process := find_process(job)) is not None:
        psutil.wait_procs([process], timeout=EXIT_SECONDS)
