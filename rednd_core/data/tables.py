"""Text tables (``.inter``, ``.csv``, ``.tsv``) as columns of strings; what is odd raises DataError.

Cells stay strings here, so that ids such as ``007`` or ``NA`` survive; who needs numbers converts
them with the functions below, which count and name the cells that do not fit.
"""

from __future__ import annotations

import csv
import mmap
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
from numpy.typing import NDArray

from rednd_core.errors import DataError

MAX_FILE_BYTES = 4 * 2**30
"""No file of a data set may be larger; checked before it is opened."""

WHOLE_NUMBERS_WANTED = "whole numbers from 0 up"
TIMES_WANTED = "numbers or ISO 8601 dates"
_DELIMITERS = {".inter": "\t", ".tsv": "\t", ".csv": ","}
_SEPARATOR_NAMES = {"\t": "tabs", ",": "commas", ";": "semicolons", "|": "bars", " ": "spaces"}
_HEAD_BYTES = 64 * 1024


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


def read_header(path: Path) -> list[str]:
    """Column names of a text table, after checking that the file is text."""
    require_readable(path)
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    lines = head.splitlines()
    try:
        first = "" if b"\0" in head else lines[0].decode("utf-8-sig")
    except UnicodeDecodeError:
        first = ""
    if not first.strip():
        raise DataError(
            expected=f"{path.name} as UTF-8 text with column names in its first line",
            found="binary data, another encoding or a blank first line",
            remedy="export it again as UTF-8 text",
        )
    return next(csv.reader([first], delimiter=_DELIMITERS[path.suffix.lower()]))


def require_columns(header: Sequence[str], required: Mapping[str, str], path: Path) -> None:
    """Refuse a header that lacks a required name, repeats one, or was cut at a wrong separator.

    Args:
        required: role (a field of ``ColumnNames``) -> name of its column.
    """
    missing = {role: name for role, name in required.items() if name not in header}
    delimiter = _DELIMITERS.get(path.suffix.lower())
    if missing and len(header) == 1 and delimiter is not None:
        separated = _SEPARATOR_NAMES[delimiter]
        for separator, spoken in _SEPARATOR_NAMES.items():
            if separator in header[0]:
                raise DataError(
                    expected=f"columns separated by {separated} in {path.name}",
                    found=f"columns separated by {spoken}",
                    remedy=f"save it with {separated} between the columns",
                )
    if missing:
        raise DataError(
            expected=f"column {' and column '.join(map(repr, missing.values()))} in {path.name}",
            found=f"the columns {listing(header)}",
            remedy=f"rename {'the column' if len(missing) == 1 else 'the columns'}, or name yours with "
            f"{' '.join(f'--column {role}=NAME' for role in missing)} (in the app: Split and columns)",
        )
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise DataError(
            expected=f"different column names in {path.name}",
            found=f"{listing(repeated)} more than once",
            remedy="rename or drop the copies",
        )


def read_cells(path: Path, columns: Sequence[str]) -> pa.Table:
    """The named columns as trimmed strings; their header is already checked."""
    types = dict.fromkeys(columns, pa.string())
    try:
        table = _parse(path, types)
    except (pa.ArrowException, OSError) as error:
        raise _why_unreadable(path, types) or DataError(
            expected=f"a text table in {path.name}, every quote in it closed",
            found=shorten(" ".join(str(error).split()), 120),
            remedy="correct it, or export it again",
        ) from None
    require_rows(table.num_rows, path)
    trimmed = [pc.utf8_trim_whitespace(table[name]) for name in columns]
    return pa.table(trimmed, names=list(columns))


def read_typed(path: Path, types: Mapping[str, pa.DataType]) -> pa.Table | None:
    """The columns of ``types`` parsed at once; None where that fails or may say other than the text.

    Arrow's parser of whole numbers also takes ``0x1F`` and ``-0``: files with such cells are left to
    :func:`read_cells`, and so is every other problem, because only cells can be named in a sentence.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if any(content.find(odd) >= 0 for odd in (b"0x", b"0X", b"-0")):
            return None
    try:
        table = _parse(path, types)
    except (pa.ArrowException, OSError):
        return None
    return table if table.num_rows else None


def _why_unreadable(path: Path, types: Mapping[str, pa.DataType]) -> DataError | None:
    """The first row that is not UTF-8 or has not the header's cells; for a file that failed to parse."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                return DataError(
                    expected=f"{path.name} as UTF-8 text",
                    found=f"the byte 0x{line[error.start]:02X} in line {number:,}, which is not UTF-8",
                    remedy="export it again as UTF-8",
                )
    odd: list[pa_csv.InvalidRow] = []

    def note(row: pa_csv.InvalidRow) -> str:
        odd.append(row)
        return "error"

    # A second, slower parse: Arrow counts rows only where one thread reads.
    with suppress(pa.ArrowException, OSError):
        _parse(path, types, odd_row=note)
    if not odd or odd[0].number is None:
        return None
    row = odd[0]
    return DataError(
        expected=f"{counted(row.expected_columns, 'cell')} in every row of {path.name}, one for each "
        "column name",
        found=f"{row.actual_columns} in data row {row.number - 1:,} ({shorten(row.text, 60)!r})",
        remedy="correct that row",
    )


def _parse(
    path: Path,
    types: Mapping[str, pa.DataType],
    odd_row: Callable[[pa_csv.InvalidRow], str] | None = None,
) -> pa.Table:
    """Arrow's reading of a text table; no cell is taken as missing. ``odd_row`` makes it count rows."""
    return pa_csv.read_csv(
        str(path),
        read_options=pa_csv.ReadOptions(use_threads=odd_row is None),
        parse_options=pa_csv.ParseOptions(
            delimiter=_DELIMITERS[path.suffix.lower()],
            newlines_in_values=True,
            invalid_row_handler=odd_row,
        ),
        convert_options=pa_csv.ConvertOptions(
            column_types=dict(types),
            include_columns=list(types),
            null_values=[],
            strings_can_be_null=False,
        ),
    )


def require_rows(n: int, path: Path) -> None:
    """Refuse a table of nothing but column names."""
    if n == 0:
        raise DataError(
            expected=f"at least one row in {path.name}",
            found="column names and no row",
            remedy="export it again",
        )


def whole_numbers(cells: pa.ChunkedArray, where: str) -> NDArray[np.int64]:
    """Cells as non-negative int64, (n,); ``where`` names column and file in the error."""
    digits = pc.match_substring_regex(cells, "^[0-9]{1,18}$").to_numpy()
    refuse_cells(cells, digits, WHOLE_NUMBERS_WANTED, where)
    numbers: NDArray[np.int64] = pc.cast(cells, pa.int64()).to_numpy()
    return numbers


def points_in_time(cells: pa.ChunkedArray, where: str) -> NDArray[np.float64]:
    """Cells as float64, (n,): numbers as they stand, ISO 8601 dates as seconds since 1970 UTC."""
    numbers: NDArray[np.float64]
    try:
        numbers = pc.cast(cells, pa.float64()).to_numpy()
    except pa.ArrowInvalid:
        numbers = pd.to_numeric(cells.to_pandas(), errors="coerce").to_numpy(dtype=np.float64)
    if not np.isfinite(numbers).any():
        dates = pd.to_datetime(cells.to_pandas(), format="ISO8601", utc=True, errors="coerce")
        elapsed = dates - pd.Timestamp(0, tz="UTC")
        numbers = elapsed.dt.total_seconds().to_numpy(dtype=np.float64)
    refuse_cells(cells, np.isfinite(numbers), TIMES_WANTED, where)
    return numbers


def refuse_cells(
    cells: pa.ChunkedArray, valid: NDArray[np.bool_], expected: str, where: str
) -> None:
    """Raise a DataError that counts the invalid cells and shows the first; none: return."""
    if valid.all():
        return
    rows = np.flatnonzero(~valid)
    n_empty = cells.null_count
    if pa.types.is_string(cells.type):
        n_empty += pc.sum(pc.equal(pc.utf8_length(cells), 0)).as_py() or 0
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


def key_column(header: Sequence[str], names: Iterable[str], kind: str, file: Path) -> str:
    """The one column of ids in a table whose key may be called by any of ``names``.

    Args:
        names: accepted names; the first is the one asked for where none is there.
        kind: what the ids are of, ``"item"`` or ``"user"``: a field of ``ColumnNames``.

    Raises:
        DataError: none of them, or several.
    """
    accepted = list(dict.fromkeys(names))
    present = [name for name in accepted if name in header]
    if len(present) > 1:
        raise DataError(
            expected=f"one column of {kind} ids in {file.name}",
            found=listing(present),
            remedy="drop or rename the other",
        )
    key = present[0] if present else accepted[0]
    require_columns(header, {kind: key}, file)
    return key
