"""Interactions from Parquet: typed columns, checked as arrays, with no Python object a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from rednd_core.config import ColumnNames
from rednd_core.data.numbered import LABELS_WANTED, PairColumns, require_number_range
from rednd_core.data.tables import (
    TIMES_WANTED,
    WHOLE_NUMBERS_WANTED,
    points_in_time,
    refuse_cells,
    require_readable,
    require_rows,
    shorten,
)
from rednd_core.errors import DataError

T = TypeVar("T")

MAX_ROWS = 500_000_000
"""Claimed by the file; a few kilobytes of Parquet can unpack to any number of equal rows."""


def read_header(file: Path) -> list[str]:
    """Column names, after checking that the file is Parquet and how much it unpacks to."""
    require_readable(file)

    def footer() -> tuple[list[str], int]:
        with pq.ParquetFile(file) as opened:
            return list(opened.schema_arrow.names), opened.metadata.num_rows

    header, n_rows = _guarded(file, footer)
    require_rows(n_rows, file)
    if n_rows > MAX_ROWS:
        raise DataError(
            expected=f"at most {MAX_ROWS:,} rows in {file.name}",
            found=f"{n_rows:,}",
            remedy="take a sample of the data",
        )
    return header


def read_columns(file: Path, names: ColumnNames, where: Mapping[str, str]) -> PairColumns:
    """The columns of ``where``, which says in errors what a column is called.

    Raises:
        DataError: a damaged file, a column of another type, or a bad value, counted.
    """
    table = _guarded(file, lambda: _read(file, list(where)))
    require_rows(table.num_rows, file)  # the footer may have said otherwise
    return PairColumns(
        users=_ids(table[names.user], where[names.user]),
        items=_ids(table[names.item], where[names.item]),
        labels=_labels(table[names.label], where[names.label]) if names.label in where else None,
        timestamps=_times(table[names.timestamp], where[names.timestamp])
        if names.timestamp in where
        else None,
    )


def _read(file: Path, columns: list[str]) -> pa.Table:
    with pq.ParquetFile(file, memory_map=True) as opened:
        table = opened.read(columns=columns)
    return pa.table({name: _plain(table[name]) for name in columns})


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Dictionary-encoded values spelled out."""
    dictionary = pa.types.is_dictionary(column.type)
    return column.cast(column.type.value_type) if dictionary else column


def _guarded(file: Path, read: Callable[[], T]) -> T:
    """What ``read`` returns; whatever a damaged file provokes becomes one sentence."""
    try:
        return read()
    except (pa.ArrowException, OSError, ValueError, KeyError, OverflowError) as error:
        reason = " ".join(str(error).split())
        raise DataError(
            expected=f"a complete Parquet file {file.name}",
            found=f"a damaged file or another format ({shorten(reason, 120)})",
            remedy="write it again",
        ) from None


def _ids(column: pa.ChunkedArray, where: str) -> NDArray[np.int32]:
    _require_integers(column, WHOLE_NUMBERS_WANTED, where)
    least, largest = _range(column)
    if column.null_count or least < 0:
        valid = pc.fill_null(pc.greater_equal(column, 0), False)
        refuse_cells(column, np.asarray(valid, dtype=bool), WHOLE_NUMBERS_WANTED, where)
    require_number_range(largest, where)
    return np.asarray(column.cast(pa.int32()).to_numpy())


def _labels(column: pa.ChunkedArray, where: str) -> NDArray[np.int8]:
    _require_integers(column, LABELS_WANTED, where)
    least, largest = _range(column)
    if column.null_count or least < 0 or largest > 2:
        known = pc.is_in(column, value_set=pa.array([0, 1, 2]).cast(column.type))
        refuse_cells(column, np.asarray(known, dtype=bool), LABELS_WANTED, where)
    return np.asarray(column.cast(pa.int8()).to_numpy())


def _times(column: pa.ChunkedArray, where: str) -> NDArray[np.float64]:
    """Numbers as they stand; dates and times as seconds since 1970 UTC; text as in text tables."""
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return points_in_time(
            pc.utf8_trim_whitespace(pc.fill_null(column.cast(pa.string()), "")), where
        )
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        micros = column.cast(pa.timestamp("us"), safe=False).cast(pa.int64())
        seconds = pc.divide(micros.cast(pa.float64(), safe=False), 1e6)
    elif pa.types.is_integer(kind) or pa.types.is_floating(kind):
        seconds = column.cast(pa.float64(), safe=False)
    else:
        raise _other_type(kind, TIMES_WANTED, where)
    values = pc.fill_null(seconds, float("nan")).to_numpy()
    refuse_cells(column, np.isfinite(values), TIMES_WANTED, where)
    return np.asarray(values)


def _range(column: pa.ChunkedArray) -> tuple[int, int]:
    """Least and largest value; (0, 0) where every value is missing."""
    found = pc.min_max(column).as_py()
    return (0, 0) if found["min"] is None else (found["min"], found["max"])


def _require_integers(column: pa.ChunkedArray, wanted: str, where: str) -> None:
    if not pa.types.is_integer(column.type):
        raise _other_type(column.type, wanted, where)


def _other_type(kind: pa.DataType, wanted: str, where: str) -> DataError:
    return DataError(
        expected=f"{wanted} in {where}",
        found=f"values of type {shorten(str(kind), 60)}",
        remedy="write the column as whole numbers, or use a CSV, whose ids may be any text",
    )
