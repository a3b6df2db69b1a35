"""Whose turn is it? At most ``$REDND_JOB_SLOTS`` (1) trainings at once in a folder of runs.

The run folders are the queue: a waiter is a run in state ``queued`` whose process lives, and the one
that was queued first goes first. A slot is a file lock, which the operating system frees when its
holder dies, however it dies.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from rednd_core.errors import ConfigError, RunError
from rednd_core.runs import RunStore, RunWriter, StatusRecord

POLL_SECONDS = 0.25
SLOTS = "REDND_JOB_SLOTS"


class StoppedWhileQueued(RunError):  # noqa: N818 (a wish, not a fault)
    """The run was stopped before its turn came; its status already says so."""


@contextmanager
def slot(writer: RunWriter) -> Iterator[None]:
    """Wait until the run may train and hold its slot inside; it is then in state ``running``.

    Raises :class:`StoppedWhileQueued` where a stop command arrives first; other commands wait for the
    trainer.
    """
    writer.status("queued", message="Waiting for its turn")
    lock = None
    while lock is None:
        if any(command.command == "stop" for command in writer.control.waiting()):
            writer.control.clear()
            writer.status("stopped", message="Stopped while it waited for its turn")
            raise StoppedWhileQueued(
                expected=f"the turn of run {writer.path.name}",
                found="a stop command",
                remedy="resume the run to queue it again",
            )
        if _is_first(writer):
            lock = _free_slot(writer.path.parent)
        if lock is None:
            writer.heartbeat()
            time.sleep(POLL_SECONDS)
    try:
        writer.claim()
        yield
    finally:
        lock.release()


def n_slots() -> int:
    """Trainings at once, from ``$REDND_JOB_SLOTS``."""
    text = os.environ.get(SLOTS, "1")
    if not text.isdecimal() or int(text) < 1:
        raise ConfigError(
            expected=f"a whole number from 1 in {SLOTS}",
            found=repr(text),
            remedy="set it to how many trainings may run at once",
        )
    return int(text)


def _is_first(writer: RunWriter) -> bool:
    """Whether no living run was queued before this one."""
    waiting = [
        turn(status, name)
        for name, status in RunStore(writer.path.parent).statuses()
        if status.state == "queued"
    ]
    return not waiting or min(waiting)[1] == writer.path.name


def turn(status: StatusRecord, name: str) -> tuple[float, str]:
    """Sorts queued runs: the one that was queued first goes first."""
    return status.since, name


def _free_slot(root: Path) -> FileLock | None:
    """A slot that nobody holds, now held; None where all are taken."""
    for number in range(n_slots()):
        lock = FileLock(root / f".slot-{number}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            continue
        return lock
    return None
