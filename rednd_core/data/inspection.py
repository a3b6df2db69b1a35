"""Read an uploaded data set once in a confined process, before the app reads it in its own."""

from __future__ import annotations

from pathlib import Path

from rednd_core import confined

SECONDS = 120.0
MEMORY_BYTES = 3 * 1024**3


def require_affordable(folder: Path) -> None:
    """Refuse a data set that cannot be read with the time and the memory that an upload may cost.

    What is wrong with its content is not said here: that is the report's.

    Raises:
        DataError: it needs more, or breaks down its reader.
    """
    confined.run(
        f"{__name__}:read",
        str(folder),
        what="the uploaded data set",
        seconds=SECONDS,
        memory_bytes=MEMORY_BYTES,
    )


def read(folder: str) -> None:
    """Read all of ``folder`` as its report does."""
    from rednd_core.data.report import check

    check(folder)
