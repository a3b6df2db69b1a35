"""Does the process that trains a run still live? A status, compared with the processes of this machine."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

from rednd_core.runs.record import ProcessRecord, State, StatusRecord

if TYPE_CHECKING:
    import psutil

LOST_AFTER_SECONDS = 300.0
"""A live state without a heartbeat for this long is lost, where its process cannot be asked.

Longer than any silence of a healthy trainer: the longest is one validation of a large data set. On its own
host a process is asked instead: a suspended machine or a long validation is no loss.
"""
START_TOLERANCE_SECONDS = 2.0
"""psutil derives a start time from the clock, so a corrected clock moves it a little."""


def process_record(pid: int) -> ProcessRecord:
    """The living process ``pid`` of this host as a record."""
    import psutil

    return ProcessRecord(
        pid=pid, started=psutil.Process(pid).create_time(), host=socket.gethostname()
    )


def find_process(record: ProcessRecord) -> psutil.Process | None:
    """The process itself, or None where it is gone, a zombie, another one, or on another host."""
    import psutil

    if record.host != socket.gethostname():
        return None
    try:
        process = psutil.Process(record.pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        same = abs(process.create_time() - record.started) <= START_TOLERANCE_SECONDS
    except psutil.Error:
        return None
    return process if same else None


def observed(status: StatusRecord, job: ProcessRecord | None, last_line: str) -> StatusRecord:
    """``status`` as it stands, or as failed or lost where its process can no longer write that.

    Args:
        job: the process that was started for the run, if one was.
        last_line: the end of its log, quoted in the message.
    """
    if not status.is_live:
        return status
    process = status.process or job
    quoted = f": {last_line}" if last_line else ""
    if process and process.host == socket.gethostname():
        if find_process(process) is not None:
            return status
        if status.process is None:
            return _as(status, "failed", f"The process ended before it could start{quoted}")
        return _as(status, "lost", f"The training process {process.pid} is gone{quoted}")
    # A heartbeat from the future is no sign of life either: it would never grow old.
    silence = abs(time.time() - status.heartbeat)
    if silence > LOST_AFTER_SECONDS:
        return _as(status, "lost", f"No sign of life for {silence / 60:.0f} minutes{quoted}")
    return status


def _as(status: StatusRecord, state: State, message: str) -> StatusRecord:
    return status.model_copy(update={"state": state, "message": message})
