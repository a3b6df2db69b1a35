"""Double quotes in text tables: a stray one must not swallow the rows up to the next."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from rednd_core.data.layouts.form import NUMBER, Form
from rednd_core.errors import DataError

if TYPE_CHECKING:
    import _csv


def require_sound_quotes(name: str, content: pa.Buffer, form: Form) -> bool:
    """Whether cells of a table span lines; refuses quotes that do not enclose whole cells.

    A cell may span lines where the columns of the file are consistently quoted, or where none of the lines
    inside the cell can be a row of the table: else it may be a pair of stray quotes with rows between.

    Raises:
        DataError: text after a closing quote, a quote without its partner, or a cell that may hold rows;
            with the line in which the cell begins.
    """
    raw = content.to_pybytes()
    if b'"' not in raw:
        return False
    text = raw.decode("utf-8", errors="replace")
    reader = _reader(text, form)
    spans = False
    begins = 1
    try:
        for row in reader:
            if reader.line_num > begins:
                spans = True
                if _may_hold_a_row(row, form) and not _consistent(text, form):
                    raise _stray(name, begins, "a cell that spans lines")
            begins = reader.line_num + 1
    except csv.Error:
        found = "a quote that does not enclose a whole cell, or is never closed"
        raise _stray(name, begins, found) from None
    return spans


def _reader(text: str, form: Form) -> _csv.Reader:
    return csv.reader(
        io.StringIO(text, newline=""),
        delimiter=form.separator,
        doublequote=form.escape is None,
        escapechar=form.escape,
        strict=True,
    )


def _may_hold_a_row(row: Sequence[str], form: Form) -> bool:
    """Whether lines inside a cell have the separators that the lines of a swallowed row have."""
    for place, cell in enumerate(row):
        _, *inner = cell.splitlines() or [""]
        if not inner:
            continue
        whole, last = inner[:-1], inner[-1]
        if any(line.count(form.separator) == len(form.names) - 1 for line in whole):
            return True
        if last.count(form.separator) == place:
            return True
    return False


def _consistent(text: str, form: Form) -> bool:
    """Whether each column is quoted in every row or in none, where only numbers go without quotes."""
    first, *rows = _reader(text, form)
    width = len(first)
    if form.escape is not None or any(len(row) != width for row in rows):
        return False
    bare = [all(NUMBER.fullmatch(cell) for cell in column) for column in zip(*rows, strict=True)]
    quoted = ['"{}"'] * width
    for style in ([False] * width, bare):
        written = [form.separator.join(quoted).format(*(c.replace('"', '""') for c in first))]
        marks = form.separator.join("{}" if plain else '"{}"' for plain in style)
        written += [marks.format(*(cell.replace('"', '""') for cell in row)) for row in rows]
        if "\n".join(written) == text.replace("\r\n", "\n").strip("\n"):
            return True
    return False


def _stray(name: str, line: int, found: str) -> DataError:
    return DataError(
        expected=f"every quoted cell of {name} closed in its own line",
        found=f"{found}, in line {line:,}",
        remedy="remove the stray quote or double it; or save the table with every cell in quotes",
    )
