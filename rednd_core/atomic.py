"""Whole files or nothing: write beside the target, fsync, rename.

A reader sees the old file or the new one. A reader that holds the old file open (or memory-mapped)
keeps it. Writers that die leave a ``.*.tmp`` file or folder, deletions that die a ``.*.deleted`` one.
The next trainer of a run clears those of its folder, the next change of a store those that are a day
old (:func:`remove_leftovers`).
"""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from pydantic_core import to_json

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

REPLACE_ATTEMPTS = 20
ABANDONED_SECONDS = 86_400.0  # far longer than any import or saving takes
SHOWN_CHARACTERS = 40  # of the target's name in a temporary one, which must not grow too long


def stage(path: Path, write: Callable[[BinaryIO], object]) -> Path:
    """Let ``write`` fill a temporary file beside ``path``, on disk when this returns."""
    temporary = path.with_name(f".{path.name[:SHOWN_CHARACTERS]}.{uuid.uuid4().hex[:12]}.tmp")
    try:
        with temporary.open("xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:  # writing names no file
            error.filename = str(path)
        raise
    return temporary


def commit(temporary: Path, path: Path) -> None:
    """Rename a staged file onto ``path``.

    Windows refuses the rename for the moment in which another process has ``path`` open, so a
    refusal is tried again for about a second before it counts.
    """
    for attempt in range(REPLACE_ATTEMPTS):
        try:
            temporary.replace(path)
            return
        except PermissionError:
            if attempt == REPLACE_ATTEMPTS - 1:
                temporary.unlink(missing_ok=True)
                raise
            time.sleep(0.05)


def stage_all(
    contents: Iterable[tuple[Path, Callable[[BinaryIO], object]]],
) -> list[tuple[Path, Path]]:
    """Stage every file of ``contents``, or none: (temporary, path) in their order."""
    staged: list[tuple[Path, Path]] = []
    try:
        for path, write in contents:
            staged.append((stage(path, write), path))
    except BaseException:
        for temporary, _ in staged:
            temporary.unlink(missing_ok=True)
        raise
    return staged


def stage_bytes(path: Path, content: bytes) -> Path:
    """Stage ``content``."""
    return stage(path, raw(content))


def write_bytes(path: Path, content: bytes) -> None:
    """Replace ``path`` with ``content``."""
    commit(stage_bytes(path, content), path)


def write_json(path: Path, value: Any) -> None:
    """Replace ``path`` with ``value`` (a pydantic model or plain data) as indented JSON."""
    write_bytes(path, encode_json(value, indent=2) + b"\n")


def write_parquet(path: Path, frame: pd.DataFrame) -> None:
    """Replace ``path`` with ``frame``, without its index."""
    commit(stage(path, lambda file: frame.to_parquet(file, index=False)), path)


def raw(content: bytes) -> Callable[[BinaryIO], object]:
    """What writes ``content``."""
    return lambda file: file.write(content)


def npy(array: NDArray[Any]) -> Callable[[BinaryIO], object]:
    """What writes ``array`` as .npy; object arrays are refused by numpy, they would need pickle."""
    from numpy.lib import format  # not before: a job that waits for its turn writes no array

    return lambda file: format.write_array(file, array, allow_pickle=False)


def encode_json(value: Any, indent: int | None = None) -> bytes:
    """JSON of plain data, numpy scalars included; NaN and infinity become null."""
    return to_json(value, indent=indent, inf_nan_mode="null", fallback=_plain)


def _plain(value: object) -> object:
    """numpy's scalars and arrays as Python's own."""
    if type(value).__module__ == "numpy" and hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def remove_leftovers(folder: Path, *, older_than: float = 0.0) -> None:
    """Delete what killed processes left half-written or half-deleted in ``folder``.

    Args:
        older_than: seconds; what is younger may be somebody's work.
    """
    for leftover in (*folder.glob(".*.tmp"), *folder.glob(".*.deleted")):
        with suppress(OSError):  # another process clears here as well
            stat = leftover.lstat()
            # A rename changes ctime only: an old run that is being deleted is a young leftover.
            if time.time() - max(stat.st_mtime, stat.st_ctime) < older_than:
                continue
            _remove(leftover)


def remove_folder(folder: Path) -> None:
    """Remove a folder, or a link to one; it vanishes at once, so that no half of it is ever listed."""
    _remove(folder.rename(folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:12]}.deleted")))


def _remove(path: Path) -> None:
    """Remove a file, a link or a folder."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
