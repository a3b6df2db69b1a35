"""Uploaded files of one data set, written to a folder under names that are safe."""

from __future__ import annotations

import atexit
import re
import shutil
import tempfile
import uuid
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import streamlit as st
from filelock import FileLock, Timeout

from rednd_core.data.inspection import require_affordable
from rednd_core.data.interactions import could_be_interactions
from rednd_core.data.layouts.recognise import ARCHIVES
from rednd_core.data.layouts.recognise import SUFFIXES as TABLES
from rednd_core.data.tables import listing, shorten
from rednd_core.errors import DataError

MAX_FILES = 16
MAX_BYTES = 256 << 20
SUFFIXES = (*TABLES, *ARCHIVES, ".npy")
PREFIX = "rednd-upload-"
LOCK = ".lock"

_held: list[FileLock] = []  # as long as this server lives: a lock that nobody refers to is given up

_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,99}")


class Upload(Protocol):
    """The part of Streamlit's uploaded files that is needed here."""

    name: str
    size: int

    def getbuffer(self) -> memoryview: ...


@st.cache_resource(show_spinner=False)
def upload_root() -> Path:
    """A private folder under the system's folder of temporary files, removed when the server ends.

    A server that is ended by a signal has no time for that; the next one removes what it left.
    """
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        _remove_abandoned(left)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    lock = FileLock(folder / LOCK)
    lock.acquire()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    _held.append(lock)
    return folder


def _remove_abandoned(folder: Path) -> None:
    """Remove the folder of a server that no longer lives, whose lock is free; another user's stays."""
    with suppress(OSError, Timeout), FileLock(folder / LOCK, timeout=0):
        shutil.rmtree(folder)


def lifetime(path: str) -> None:
    """Say that an uploaded data set will be removed."""
    if Path(path).is_relative_to(upload_root()):
        st.caption(
            "Uploaded files are removed when the app ends. Runs that were trained on them stay, but cannot "
            "be continued or evaluated. To keep the files, put them into a folder on the machine that "
            "runs this app, and choose that folder."
        )


def save_upload(files: Sequence[Upload], root: Path) -> Path:
    """Write the files of one data set into a new folder below ``root``, named like the data set.

    Raises:
        DataError: too many or too large files, an archive or other kind, names that are unsafe or
            repeated, or files that need more time or memory to be read than an upload may cost. Nothing
            of them remains then.
    """
    names = [Path(file.name.replace("\\", "/")).name for file in files]
    total = sum(file.size for file in files)
    if len(files) > MAX_FILES or total > MAX_BYTES:
        raise DataError(
            expected=f"at most {MAX_FILES} files of {MAX_BYTES >> 20} MB together",
            found=f"{len(files)} of {total / 2**20:,.0f} MB",
            remedy="put the files on the machine that runs the app and give their folder",
        )
    for name in names:
        if not name.lower().endswith(SUFFIXES):
            raise DataError(
                expected=f"files that end in {listing(SUFFIXES, most=len(SUFFIXES))}",
                found=shorten(name, 60),
                remedy="unpack other archives and upload what is in them",
            )
        if not _SAFE.fullmatch(name):
            raise DataError(
                expected="file names of letters, digits, spaces, dots, _ and -",
                found=shorten(name, 60),
                remedy="rename the file",
            )
    if len({name.casefold() for name in names}) < len(names):
        raise DataError(
            expected="files with different names",
            found=listing(sorted(names)),
            remedy="upload each file once",
        )
    folder = root / uuid.uuid4().hex[:12] / _set_name(names)
    folder.mkdir(parents=True)
    try:
        for name, file in zip(names, files, strict=True):
            (folder / name).write_bytes(file.getbuffer())
        require_affordable(folder)
    except BaseException:
        shutil.rmtree(folder.parent, ignore_errors=True)
        raise
    return folder


def _set_name(names: Sequence[str]) -> str:
    """The stem of the interaction file, which becomes the name of the data set."""
    likely = [name for name in names if could_be_interactions(name)]
    return Path(likely[0].removesuffix(".gz")).stem if likely else "upload"
