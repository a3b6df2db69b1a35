"""ids.json: the original ids of users and items, so that a run can be read without its data set.

Row k of every array of N rows belongs to user k, or to item k - n_users.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from rednd_core.runs.budgets import IDS_BYTES
from rednd_core.runs.reading import read_record
from rednd_core.runs.record import VersionedRecord


class IdsRecord(VersionedRecord):
    """Original ids by the numbers that arrays count with: all users, all items."""

    most_bytes: ClassVar[int] = IDS_BYTES
    users: Sequence[str]
    items: Sequence[str]


def read_ids(path: Path) -> IdsRecord | None:
    """The ids in ``path``; None where a run was made before runs had them.

    Raises:
        RunError: a file that cannot be read.
    """
    return read_record(IdsRecord, path) if path.exists() else None
