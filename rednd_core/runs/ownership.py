"""Whose run is it? A run has one writer at a time; here is asked who may begin, continue or delete one.

What asks and what then happens are under one lock a folder of runs, so that two clicks, two commands or
one of each do not become two processes of one run.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from rednd_core.atomic import ABANDONED_SECONDS, remove_leftovers
from rednd_core.errors import RunError
from rednd_core.runs.liveness import find_process
from rednd_core.runs.reading import read_record
from rednd_core.runs.record import ProcessRecord, StatusRecord
from rednd_core.runs.run import Run
from rednd_core.runs.writer import requeue
from rednd_core.writable import make_folder

if TYPE_CHECKING:
    import psutil

LOCK_SECONDS = 60.0
"""Far longer than a run is prepared or deleted; a trainer that leaves is waited for inside, EXIT_SECONDS."""
EXIT_SECONDS = 20.0
"""How long a trainer may take to end after it has written its last status."""


@contextmanager
def preparing(root: Path) -> Iterator[None]:
    """Hold the lock of the runs in ``root``, which must not be held already; clears what is abandoned.

    Raises:
        RunError: ``root`` cannot be written, or a process holds the lock for longer than any change takes.
    """
    make_folder(root)
    lock = FileLock(root / ".jobs.lock")
    try:
        with suppress(NotImplementedError):  # some network disks know no locks
            lock.acquire(timeout=LOCK_SECONDS)
    except Timeout:
        raise RunError(
            expected=f"the lock {root / '.jobs.lock'} within {LOCK_SECONDS:.0f} seconds",
            found="another process that holds it",
            remedy="end that process, or choose another folder of runs",
        ) from None
    try:
        remove_leftovers(root, older_than=ABANDONED_SECONDS)
        yield
    finally:
        lock.release()


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
    """Refuse a run that a process trains, or is about to train.

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
