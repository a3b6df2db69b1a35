"""Tables as JSON, one object a line, and Amazon's metadata of 2014, whose lines are Python literals."""

from __future__ import annotations

import ast
import io
import json
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import pyarrow as pa

from rednd_core.data.layouts.source import SourceFile
from rednd_core.data.layouts.table import Table
from rednd_core.data.tables import require_rows, shorten
from rednd_core.errors import DataError

SUFFIXES = (".json", ".jsonl", ".ndjson")
MAX_LINE_BYTES = 16 * 2**20
_MAX_LITERAL_BYTES = 2**20  # parsing a Python literal takes about a hundred times its size
_SAMPLE = 200


def open_json_lines(file: SourceFile) -> Table:
    """A file of JSON objects, one a line; or one array of objects.

    Raises:
        DataError: no objects in it.
    """
    names: dict[str, None] = {}
    for number, record in enumerate(_records(file)):
        names.update(dict.fromkeys(record))
        if number >= _SAMPLE:
            break
    if not names:
        raise DataError(
            expected=f"JSON objects, one a line, in {file.name}",
            found="none",
            remedy="export it again",
        )
    return Table(
        file=file, form="JSON, one object a line", names=tuple(names), read=partial(_read, file)
    )


def _read(file: SourceFile, columns: Sequence[str], distinct: bool) -> pa.Table:
    """The named fields as strings; lists are joined by ``|``, absent fields are empty."""
    gathered: dict[str, list[str]] = {name: [] for name in columns}
    for record in _records(file):
        for name, cells in gathered.items():
            cells.append(as_text(record.get(name)))
    table = pa.table({name: pa.array(cells, pa.string()) for name, cells in gathered.items()})
    require_rows(table.num_rows, file.name)
    return table


def as_text(value: Any) -> str:
    """A value of JSON as the text of one cell; a list of lists becomes one list."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list | tuple):
        flat = dict.fromkeys(text for each in value for text in _listed(each) if text)
        return "|".join(flat)
    if isinstance(value, dict):
        return next(
            (as_text(value[key]) for key in ("large", "hi_res", "name") if key in value), ""
        )
    return str(value)


def _listed(value: Any) -> list[str]:
    if isinstance(value, list | tuple):
        return [as_text(each).replace("|", "/") for each in value]
    return [as_text(value).replace("|", "/")]


def _records(file: SourceFile) -> Iterator[dict[str, Any]]:
    """The objects of a file, in its order.

    Raises:
        DataError: a line that is no object; with its number.
    """
    stream = io.BytesIO(file.content())
    if stream.read(1) == b"[":
        yield from _array(file, stream)
        return
    stream.seek(0)
    number = 0
    while line := stream.readline(MAX_LINE_BYTES):
        number += 1
        text = line.strip()
        if not text:
            continue
        record = _record(text)
        if record is None:
            shown = text[:200].decode("utf-8", errors="replace")
            raise DataError(
                expected=f"a JSON object in every line of {file.name}",
                found=f"{shorten(shown, 60)!r} in line {number:,}",
                remedy="correct that line, or export it again",
            )
        yield record


def _record(line: bytes) -> dict[str, Any] | None:
    """The object of one line, as JSON or as a Python literal of constants; None where it is neither."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        if len(line) > _MAX_LITERAL_BYTES or not line.startswith(b"{"):
            return None
        try:
            record = ast.literal_eval(line.decode())
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            return None
    return {str(key): value for key, value in record.items()} if isinstance(record, dict) else None


def _array(file: SourceFile, stream: io.BytesIO) -> Iterator[dict[str, Any]]:
    stream.seek(0)
    try:
        records = json.load(stream)
    except (ValueError, RecursionError):
        records = None
    if not isinstance(records, list) or not all(isinstance(each, dict) for each in records):
        raise DataError(
            expected=f"an array of objects in {file.name}",
            found="other or incomplete JSON",
            remedy="export it again",
        )
    yield from records
