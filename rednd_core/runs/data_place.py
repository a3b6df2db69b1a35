"""Where the data set of a run lies: left out of exports, and not taken from imports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath, PureWindowsPath

from rednd_core import atomic
from rednd_core.config import resolve_data_path
from rednd_core.errors import RedndError
from rednd_core.runs.record import RunRecord
from rednd_core.runs.run import Run
from rednd_core.runs.store import RunEntry


def without_place(record: RunRecord) -> RunRecord:
    """Only the last part of a path of the data set that leads out of the working folder.

    The folders above it belong to one machine, and an archive must not name folders of this one: a
    look at ``\\\\server\\share`` alone would send the user's log-in to that server.
    """
    path = record.config.data.path
    posix, windows = PurePosixPath(path), PureWindowsPath(path)
    leads_out = (
        posix.is_absolute()
        or bool(windows.anchor)
        or path.startswith("~")
        or ".." in (*posix.parts, *windows.parts)
    )
    if not leads_out:
        return record
    name = windows.name
    return with_path(record, name if name not in ("", "..") else "data")


def with_place(record: RunRecord, entries: Sequence[RunEntry]) -> RunRecord:
    """``record`` with the path that a run here has for its data set, where its own leads nowhere."""
    if record.data is None or _leads_somewhere(record):
        return record
    for known in (entry.record for entry in entries if entry.record):
        same = known.data is not None and known.data.digest == record.data.digest
        if same and _leads_somewhere(known):
            return with_path(record, known.config.data.path)
    return record


def move_place(run: Run, path: str) -> None:
    """Record that the data set of a run lies at ``path`` now; the caller has compared the digests."""
    atomic.write_json(run.layout.config, with_path(run.record, path))


def _leads_somewhere(record: RunRecord) -> bool:
    try:
        return resolve_data_path(record.config.data.path).exists()
    except (RedndError, OSError, ValueError):
        return False


def with_path(record: RunRecord, path: str) -> RunRecord:
    data = record.config.data.model_copy(update={"path": path})
    config = record.config.model_copy(update={"data": data})
    return record.model_copy(update={"config": config})
