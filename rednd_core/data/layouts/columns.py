"""Columns of any reader as ids, numbers, times and labels; what does not fit is counted and named."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rednd_core.data.numbering import IdColumn, as_numbers
from rednd_core.data.tables import refuse_cells
from rednd_core.errors import DataError

LABELS_WANTED = "labels 0 (train), 1 (validation) or 2 (test)"
TIMES_WANTED = "numbers or ISO 8601 dates"
IDS_WANTED = "an id in every row"
_LABELS = {
    **dict.fromkeys(("0", "0.0", "train", "training"), 0),
    **dict.fromkeys(("1", "1.0", "valid", "validation", "val", "dev"), 1),
    **dict.fromkeys(("2", "2.0", "test", "testing"), 2),
}
_EXACT = 2**53  # float64 holds every whole number up to here


def ids(column: pa.ChunkedArray, where: str) -> IdColumn:
    """Cells of any type as labels.

    Whole numbers that a program has written as ``3.0`` are whole numbers.

    Raises:
        DataError: cells without an id, or of a type that is no label; ``where`` names column and file.
    """
    kind = column.type
    if pa.types.is_floating(kind):
        values = column.cast(pa.float64())
        whole = pc.fill_null(pc.equal(pc.floor(values), values), False)
        small = pc.fill_null(pc.less_equal(pc.abs(values), float(_EXACT)), False)
        fits = np.asarray(pc.and_(whole, small), dtype=bool)
        refuse_cells(column, fits, "whole numbers or texts", where)
        column = values.cast(pa.int64())
        kind = column.type
    if pa.types.is_integer(kind):
        if column.null_count:
            refuse_cells(column, np.asarray(column.is_valid(), dtype=bool), IDS_WANTED, where)
        found = pc.min_max(column).as_py()
        if found["min"] >= 0 and found["max"] < 2**63:
            narrow = pa.int32() if found["max"] < 2**31 else pa.int64()
            return IdColumn(column.cast(narrow).to_numpy())
        column = column.cast(pa.string())
    labels, codes = _distinct(column, where)
    whole = as_numbers(IdColumn(codes, labels))
    if whole.labels is None:
        return whole
    filled = labels != ""
    if not filled.all():
        refuse_cells(column, filled[codes], IDS_WANTED, where)
    texts = pa.array(labels, pa.string())
    is_float = np.asarray(pc.match_substring_regex(texts, r"^[0-9]+\.0$"), dtype=bool)
    is_nan = np.asarray(pc.equal(pc.utf8_lower(texts), "nan"), dtype=bool)
    if is_float.any() and (is_float | is_nan).all():
        refuse_cells(column, ~is_nan[codes], IDS_WANTED, where)
        labels, places = _merged([label[:-2] for label in labels])
        return as_numbers(IdColumn(places[codes], labels))
    return IdColumn(codes, labels)


def split_labels(column: pa.ChunkedArray, where: str) -> NDArray[np.int8]:
    """Cells as 0 train, 1 validation, 2 test, (n,)."""
    if column.null_count:
        refuse_cells(column, np.asarray(column.is_valid(), dtype=bool), LABELS_WANTED, where)
    if (
        pa.types.is_integer(column.type)
        and pc.min(column).as_py() >= 0 >= pc.max(column).as_py() - 2
    ):
        return np.asarray(column.cast(pa.int8()).to_numpy())
    labels, codes = _distinct(column, where)
    parts = np.asarray([_LABELS.get(label.lower(), -1) for label in labels], dtype=np.int8)
    if (parts < 0).any():
        refuse_cells(column, (parts >= 0)[codes], LABELS_WANTED, where)
    return parts[codes]


def numbers(column: pa.ChunkedArray, where: str, wanted: str = "numbers") -> NDArray[np.float64]:
    """Cells as finite float64, (n,)."""
    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        values = pc.fill_null(column.cast(pa.float64(), safe=False), float("nan")).to_numpy()
    else:
        labels, codes = _distinct(column, where)
        values = pd.to_numeric(pd.Series(labels), errors="coerce").to_numpy(np.float64)[codes]
    refuse_cells(column, np.isfinite(values), wanted, where)
    return np.asarray(values, dtype=np.float64)


def times(column: pa.ChunkedArray, where: str) -> NDArray[np.int64] | NDArray[np.float64]:
    """Cells as points in time, (n,), whose order is exact: whole numbers stay whole.

    Numbers stay as they are; dates are microseconds since 1970 UTC.
    """
    kind = column.type
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        refuse_cells(column, np.asarray(column.is_valid(), dtype=bool), TIMES_WANTED, where)
        if pa.types.is_timestamp(kind) and kind.unit == "ns":
            return np.asarray(column.cast(pa.int64()).to_numpy())
        micros = column.cast(pa.timestamp("us"), safe=False)
        return np.asarray(micros.cast(pa.int64()).to_numpy())
    if pa.types.is_integer(kind):
        refuse_cells(column, np.asarray(column.is_valid(), dtype=bool), TIMES_WANTED, where)
        if pc.max(column).as_py() < 2**63:
            return np.asarray(column.cast(pa.int64()).to_numpy())
        return numbers(column, where, TIMES_WANTED)
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return numbers(column, where, TIMES_WANTED)
    labels, codes = _distinct(column, where)
    points = _points(labels)
    if points.dtype.kind == "f" and not np.isfinite(points).all():
        refuse_cells(column, np.isfinite(points)[codes], TIMES_WANTED, where)
    return points[codes]


def dates_per_second(column: pa.ChunkedArray) -> int | None:
    """In how many parts of a second :func:`times` counts a column of dates; None for a column of numbers."""
    kind = column.type
    if pa.types.is_timestamp(kind):
        return 10**9 if kind.unit == "ns" else 10**6
    if pa.types.is_date(kind):
        return 10**6
    if pa.types.is_dictionary(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind):
        first = column.slice(0, 1).cast(pa.string()).to_pylist()
        is_date = first and pd.isna(pd.to_numeric(pd.Series(first), errors="coerce")).all()
        return 10**6 if is_date else None
    return None


def _points(labels: NDArray[np.object_]) -> NDArray[np.int64] | NDArray[np.float64]:
    """Texts as points in time; NaN where one is none."""
    texts = pa.array(labels, pa.string())
    try:
        return np.asarray(pc.cast(texts, pa.int64()).to_numpy())
    except pa.ArrowInvalid:
        pass
    series = pd.Series(labels, dtype="str")
    values = pd.to_numeric(series, errors="coerce").to_numpy(dtype=np.float64)
    if np.isfinite(values).any():
        return values
    dates = pd.to_datetime(series, format="ISO8601", utc=True, errors="coerce")
    missing = dates.isna().to_numpy()
    micros = np.asarray(dates.dt.as_unit("us").astype("int64"), dtype=np.int64)
    return np.where(missing, np.nan, micros.astype(np.float64)) if missing.any() else micros


def _distinct(column: pa.ChunkedArray, where: str) -> tuple[NDArray[np.object_], NDArray[np.int32]]:
    """Distinct trimmed texts in order of appearance, and every row's place among them.

    Raises:
        DataError: bytes that are no text, or a type that has no text.
    """
    try:
        if not pa.types.is_dictionary(column.type):
            column = column.cast(pa.string()).dictionary_encode()
        column = column.unify_dictionaries()
        chunks = column.chunks
        spelled = chunks[0].dictionary.cast(pa.string()) if chunks else pa.array([], pa.string())
        indices = [pc.fill_null(chunk.indices, len(spelled)).to_numpy() for chunk in chunks]
        spelled = pc.fill_null(pc.utf8_trim_whitespace(spelled), "")
        labels = np.asarray(spelled.to_numpy(zero_copy_only=False), dtype=object)
    except (pa.ArrowException, UnicodeError) as error:
        raise DataError(
            expected=f"text, whole numbers or dates in {where}",
            found=f"values of type {column.type} that have no text ({' '.join(str(error).split())[:60]})",
            remedy="write the column as whole numbers or as UTF-8 text",
        ) from None
    codes = np.concatenate(indices) if indices else np.empty(0, np.int32)
    if column.null_count:
        labels = np.append(labels, "")
    if len(set(labels)) == len(labels):
        return labels, codes
    merged, places = _merged(labels)  # spaces around them were all the difference
    return merged, places[codes]


def _merged(labels: Iterable[str]) -> tuple[NDArray[np.object_], NDArray[np.int32]]:
    """Distinct labels in order of appearance, and the place of each given one among them."""
    place: dict[str, int] = {}
    places = np.asarray([place.setdefault(label, len(place)) for label in labels], dtype=np.int32)
    return np.asarray(list(place), dtype=object), places
