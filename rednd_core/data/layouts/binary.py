"""Tables in Parquet, Feather and Arrow files: typed columns, with budgets before anything is unpacked."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pyarrow as pa
import pyarrow.feather as pa_feather
import pyarrow.parquet as pq

from rednd_core.data.layouts.source import SourceFile
from rednd_core.data.layouts.table import Table
from rednd_core.data.tables import require_rows
from rednd_core.errors import DataError

MAX_ROWS = 500_000_000
ROWS_PER_BYTE = 16
"""Distinct pairs, sorted and packed as well as can be, need more than one bit each."""
FREE_ROWS = 1_000_000
SUFFIXES = (".parquet", ".pq", ".feather", ".arrow")


def open_binary(file: SourceFile) -> Table:
    """A Parquet, Feather or Arrow file; its rows are unpacked when they are asked for.

    Raises:
        DataError: no rows, or more than the budgets allow.
    """
    content = file.content()
    if file.suffix in (".parquet", ".pq"):
        form, names, n_rows = "Parquet", *_footer(content)
        read = partial(_read_parquet, file)
    else:
        form, (names, n_rows) = "Feather", _ipc_header(content)
        read = partial(_read_feather, file)
    require_rows(n_rows, file.name)
    allowed = min(MAX_ROWS, max(FREE_ROWS, ROWS_PER_BYTE * content.size))
    if n_rows > allowed:
        raise DataError(
            expected=f"at most {allowed:,} rows in {file.name}, which has {content.size:,} bytes",
            found=f"{n_rows:,}",
            remedy="take a sample of the data, or drop repeated rows",
        )
    return Table(file=file, form=form, names=names, read=read)


def _footer(content: pa.Buffer) -> tuple[tuple[str, ...], int]:
    with pq.ParquetFile(pa.BufferReader(content)) as opened:
        return tuple(map(_text, opened.schema_arrow.names)), opened.metadata.num_rows


def _ipc_header(content: pa.Buffer) -> tuple[tuple[str, ...], int]:
    with pa.ipc.open_file(pa.BufferReader(content)) as opened:
        n_rows = sum(opened.get_batch(k).num_rows for k in range(opened.num_record_batches))
        return tuple(map(_text, opened.schema.names)), n_rows


def _text(name: str | bytes) -> str:
    """A column name; Arrow hands names that are no UTF-8 on as bytes."""
    return name if isinstance(name, str) else name.decode("utf-8", errors="replace")


def _read_parquet(file: SourceFile, columns: Sequence[str], distinct: bool) -> pa.Table:
    with pq.ParquetFile(pa.BufferReader(file.content())) as opened:
        return _checked(opened.read(columns=list(columns)), file, columns)


def _read_feather(file: SourceFile, columns: Sequence[str], distinct: bool) -> pa.Table:
    source = pa.BufferReader(file.content())
    return _checked(pa_feather.read_table(source, columns=list(columns)), file, columns)


def _checked(table: pa.Table, file: SourceFile, columns: Sequence[str]) -> pa.Table:
    """The columns with valid text, dictionaries of other types spelled out."""
    require_rows(table.num_rows, file.name)  # the footer may have said otherwise
    plain = {}
    for name in columns:
        column = table[name]
        column.validate(full=True)
        kind = column.type
        if pa.types.is_dictionary(kind) and not pa.types.is_string(kind.value_type):
            column = column.cast(kind.value_type)
        plain[name] = column
    return pa.table(plain)
