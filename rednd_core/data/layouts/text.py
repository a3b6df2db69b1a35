"""Tables of text, read by Arrow. Cells stay strings, so that ids such as ``007`` or ``NA`` survive."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from rednd_core.config import ColumnNames
from rednd_core.data.layouts.form import SEPARATORS, Form, find_form
from rednd_core.data.layouts.quotes import require_sound_quotes
from rednd_core.data.layouts.source import SourceFile
from rednd_core.data.layouts.table import Table
from rednd_core.data.tables import counted, require_rows, shorten
from rednd_core.errors import DataError

_STAND_IN = "\x1f"  # for "::", as Arrow separates by one character
_ENCODED = re.compile(rb"[\xc3-\xf4][\x80-\xbf]")


def open_text(file: SourceFile, names: ColumnNames | None = None, layout: str = "auto") -> Table:
    """A text table; its rows are read when they are asked for. Arguments as of ``find_form``.

    Raises:
        DataError: as :func:`find_form`.
    """
    form = find_form(file, names, layout)
    separated = SEPARATORS[form.separator]
    said = []
    if form.encoding != "utf-8":
        said.append(f"{file.name} is not UTF-8: its letters were read as Latin-1.")
    return Table(
        file=file,
        form=f"text with {separated} between the columns",
        names=form.names,
        read=partial(_read, file, form),
        has_header=form.has_header,
        roles=form.roles,
        said=tuple(said),
    )


def _read(file: SourceFile, form: Form, columns: Sequence[str], distinct: bool) -> pa.Table:
    """The named columns as trimmed strings, dictionary-encoded where ``distinct``.

    Raises:
        DataError: a row without the header's cells, a quote that is not closed, or other bytes.
    """
    content = _without_head(file, form)
    spans = form.quoted and require_sound_quotes(file.name, content, form)
    cell_type = pa.dictionary(pa.int32(), pa.string()) if distinct else pa.string()
    try:
        table = _parse(content, form, dict.fromkeys(columns, cell_type), spans)
    except (pa.ArrowException, ValueError, KeyError):
        if (why := _why_unreadable(file, content, form, columns, spans)) is not None:
            raise why from None
        raise
    require_rows(table.num_rows, file.name)
    return (
        table
        if distinct
        else pa.table({name: pc.utf8_trim_whitespace(table[name]) for name in columns})
    )


def _without_head(file: SourceFile, form: Form) -> pa.Buffer:
    content = file.content()
    content = content.slice(form.skipped)
    if form.encoding != "utf-8":
        text = content.to_pybytes()
        if _ENCODED.search(text):
            line = next(k for k, each in enumerate(text.splitlines(), 1) if not _is_utf8(each))
            raise DataError(
                expected=f"{file.name} as UTF-8 text",
                found=f"bytes in line {line:,} that are not UTF-8, and others that are",
                remedy="export it again as UTF-8",
            )
        content = pa.py_buffer(text.decode("latin-1").encode())
    if form.separator == "::":
        content = pa.py_buffer(content.to_pybytes().replace(b"::", _STAND_IN.encode()))
    return content


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _parse(
    content: pa.Buffer,
    form: Form,
    types: dict[str, pa.DataType],
    spans: bool,
    odd_rows: list[pa_csv.InvalidRow] | None = None,
) -> pa.Table:
    """Arrow's reading of a text table; no cell is taken as missing. ``odd_rows`` collects the first."""

    def note(row: pa_csv.InvalidRow) -> str:
        assert odd_rows is not None
        odd_rows.append(row)
        return "error"

    return pa_csv.read_csv(
        pa.BufferReader(content),
        read_options=pa_csv.ReadOptions(
            use_threads=odd_rows is None,
            column_names=list(form.names),
            skip_rows=1 if form.has_header else 0,
        ),
        parse_options=pa_csv.ParseOptions(
            delimiter=_STAND_IN if form.separator == "::" else form.separator,
            quote_char='"' if form.quoted else False,
            double_quote=form.escape is None,
            escape_char=form.escape or False,
            newlines_in_values=spans,
            invalid_row_handler=note if odd_rows is not None else None,
        ),
        convert_options=pa_csv.ConvertOptions(
            column_types=types,
            include_columns=list(types),
            null_values=[],
            strings_can_be_null=False,
        ),
    )


def _why_unreadable(
    file: SourceFile, content: pa.Buffer, form: Form, columns: Sequence[str], spans: bool
) -> DataError | None:
    """The first row that is not UTF-8 or has not the header's cells; for a file that failed to parse."""
    for number, line in enumerate(io.BytesIO(content), start=1):
        try:
            line.decode()
        except UnicodeDecodeError as error:
            return DataError(
                expected=f"{file.name} as UTF-8 text",
                found=f"the byte 0x{line[error.start]:02X} in line {number:,}, which is not UTF-8",
                remedy="export it again as UTF-8",
            )
    odd: list[pa_csv.InvalidRow] = []
    # A second, slower parse: Arrow counts rows only where one thread reads.
    with suppress(pa.ArrowException, OSError, ValueError, KeyError):
        _parse(content, form, dict.fromkeys(columns, pa.string()), spans, odd)
    if not odd or odd[0].number is None:
        return None
    row = odd[0]
    number = row.number - form.has_header
    return DataError(
        expected=f"{counted(row.expected_columns, 'cell')} in every row of {file.name}, one for each "
        "column",
        found=f"{row.actual_columns} in data row {number:,} ({shorten(row.text, 60)!r})",
        remedy="correct that row",
    )
