"""Deleted runs, which can be brought back: a hidden folder of the store with a limit.

A run that is deleted is renamed to ``.bin/<time>.<name>``. The oldest ones go for good when there are more
than the limit allows, and a run that is larger than the limit at once.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rednd_core.atomic import remove_folder
from rednd_core.runs.layout import RUN_NAME
from rednd_core.runs.run import Run

BIN = ".bin"
MOST_RUNS = 20
MOST_BYTES = 4 * 1024**3
ENTRY = re.compile(rf"([0-9]{{20}})\.({RUN_NAME.pattern})")


@dataclass(frozen=True)
class DeletedRun:
    """A run in the bin; ``deleted``: seconds since 1970."""

    name: str
    deleted: float
    path: Path

    @property
    def disk_bytes(self) -> int:
        return Run(self.path).disk_bytes


def put(root: Path, folder: Path) -> None:
    """Move a run's folder of the store ``root`` into its bin, and let the oldest go beyond the limit."""
    place = root / BIN
    place.mkdir(exist_ok=True)
    folder.rename(place / f"{time.time_ns():020d}.{folder.name}")
    n_kept, left = 0, MOST_BYTES
    for deleted in contents(root):
        size = deleted.disk_bytes
        if n_kept == MOST_RUNS or size > left:
            remove_folder(deleted.path)
        else:
            n_kept, left = n_kept + 1, left - size


def contents(root: Path) -> Sequence[DeletedRun]:
    """What is in the bin of the store ``root``, newest first."""
    try:
        found = [(ENTRY.fullmatch(path.name), path) for path in (root / BIN).iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    entries = [DeletedRun(name[2], int(name[1]) / 1e9, path) for name, path in found if name]
    return sorted(entries, key=lambda entry: entry.path.name, reverse=True)


def empty(root: Path) -> None:
    """Delete for good what is in the bin of the store ``root``."""
    for deleted in contents(root):
        remove_folder(deleted.path)
