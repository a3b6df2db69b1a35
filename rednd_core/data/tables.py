"""Checks and words that all readers share: what is odd is counted, named and said in one sentence."""

from __future__ import annotations

import csv
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rednd_core.errors import DataError

_FOREIGN = (
    pa.ArrowException,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
    csv.Error,
    zlib.error,
)
MAX_FILE_BYTES = 4 * 2**30
"""No file of a data set may be larger; checked before it is opened."""


def require_readable(path: Path) -> None:
    """Refuse a file that is missing, empty or beyond ``MAX_FILE_BYTES``, before reading it."""
    try:
        size = path.stat().st_size
        with path.open("rb"):
            pass
    except OSError as error:
        raise DataError(
            expected=f"a readable file {path.name}",
            found=error.strerror or "an unreadable one",
            remedy="check its name and its permissions",
        ) from None
    if size == 0:
        raise DataError(
            expected=f"data in {path.name}", found="an empty file", remedy="export it again"
        )
    if size > MAX_FILE_BYTES:
        raise DataError(
            expected=f"at most {MAX_FILE_BYTES / 2**30:.0f} GiB in {path.name}",
            found=f"{size / 2**30:.1f} GiB",
            remedy="take a sample of the data",
        )


@contextmanager
def no_foreign_errors(name: str) -> Iterator[None]:
    """Turn whatever a library raises over the content of a file into one sentence."""
    try:
        yield
    except _FOREIGN as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(
            expected=f"a complete table in {name}",
            found=f"a damaged file or another format ({shorten(reason, 120)})",
            remedy="write it again",
        ) from None


def require_rows(n: int, name: str) -> None:
    """Refuse a table of nothing but column names."""
    if n == 0:
        raise DataError(
            expected=f"at least one row in {name}",
            found="column names and no row",
            remedy="export it again",
        )


def refuse_cells(
    cells: pa.ChunkedArray, valid: NDArray[np.bool_], expected: str, where: str
) -> None:
    """Raise a DataError that counts the invalid cells and shows the first; none: return."""
    if valid.all():
        return
    rows = np.flatnonzero(~valid)
    if pa.types.is_dictionary(cells.type):
        cells = cells.cast(cells.type.value_type)
    n_empty = cells.null_count
    if pa.types.is_string(cells.type):
        trimmed = pc.utf8_trim_whitespace(cells)
        n_empty += pc.sum(pc.equal(pc.utf8_length(trimmed), 0)).as_py() or 0
    first = cells[int(rows[0])].as_py()
    raise DataError(
        expected=f"{expected} in {where}",
        found=(
            f"{counted(len(rows), 'other cell')} among {len(cells):,} ({n_empty:,} empty; the first is "
            f"{shorten('' if first is None else str(first), 40)!r} in data row {rows[0] + 1:,})"
        ),
        remedy="correct or drop these rows",
    )


def listing(names: Iterable[str], most: int = 8) -> str:
    """Names for a sentence, the list cut after ``most``."""
    shown = list(names)
    tail = f" and {len(shown) - most} more" if len(shown) > most else ""
    return ", ".join(shorten(_visible(name), 40) for name in shown[:most]) + tail


def _visible(name: str) -> str:
    """In quotes where spaces around a name, or nothing at all, would not be seen in a sentence."""
    return name if name and name == name.strip() else repr(name)


def counted(n: int, noun: str) -> str:
    """``"1 row"``, ``"2,000 rows"``."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def shorten(text: str, most: int) -> str:
    """``text`` cut to ``most`` characters, so that junk cannot flood a message."""
    return text if len(text) <= most else text[: most - 1] + "…"
