"""Read a file without waiting for it and without a surprise: plain files only, up to a limit.

A named pipe has no end until somebody writes, a device none at all, and a file of a gigabyte under the
name of a small one fills the memory. Whoever reads a file that anybody may have put there reads it here.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

NO_WAITING = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def open_plain(path: Path, limit: int | None = None) -> BinaryIO:
    """``path`` opened to be read.

    Args:
        limit: bytes.

    Raises:
        OSError: no plain file (``EINVAL``), more than ``limit`` bytes (``EFBIG``), or what opening raises.
    """
    file = os.fdopen(os.open(path, os.O_RDONLY | NO_WAITING), "rb")
    try:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "no plain file", str(path))
        if limit is not None and found.st_size > limit:
            told = f"{found.st_size} bytes, where at most {limit} are read"
            raise OSError(errno.EFBIG, told, str(path))
    except BaseException:
        file.close()
        raise
    return file


def read_plain(path: Path, limit: int) -> bytes:
    """The content of ``path``, at most ``limit`` bytes; raises as :func:`open_plain` does."""
    with open_plain(path, limit) as file:
        content = file.read(limit + 1)
    if len(content) > limit:  # the file grew meanwhile
        raise OSError(errno.EFBIG, f"more than {limit} bytes", str(path))
    return content


def require_plain(path: Path) -> None:
    """Refuse what a library, which takes a path, would wait for; raises as :func:`open_plain` does."""
    open_plain(path).close()
