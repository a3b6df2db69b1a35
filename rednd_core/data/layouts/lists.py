"""A user with the items after it: lines of LightGCN's ``train.txt`` and MicroLens' pairs, JSON objects."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rednd_core.data.layouts.form import sample_lines
from rednd_core.data.layouts.roles import is_known
from rednd_core.data.layouts.source import SourceFile
from rednd_core.data.layouts.table import Table
from rednd_core.data.tables import require_rows, shorten
from rednd_core.errors import DataError

_FIRST_LIST = re.compile(rb'\s*\{\s*"(?:[^"\\]|\\.)*"\s*:\s*\[')
_ROLES = {"user": "user", "item": "item"}
_IN_ORDER = _ROLES | {"timestamp": "position"}


def is_user_lists(file: SourceFile) -> bool:
    """Whether the lines of a text are ``user item item ...`` and not a table.

    Lines of different length cut at spaces are; lines of three are unless a user has several, or the third
    cell is the same everywhere, as in ``user item weight``.
    """
    if file.suffix not in (".txt", ".tsv", ".lst", ""):
        return False
    lines, _, _ = sample_lines(file)
    if all(line.count("\t") == 1 for line in lines):
        return any(" " in line.partition("\t")[2].strip() for line in lines) and all(
            " " not in line.partition("\t")[0] for line in lines
        )
    rows = [line.split() for line in lines]
    if any(is_known(cell) for cell in rows[0]) or any(
        "\t" in line or "," in line or ";" in line or "::" in line for line in lines
    ):
        return False
    if len({row[0] for row in rows}) < len(rows):
        return False  # a user once a line
    if len({len(row) for row in rows}) > 1:
        return True
    width = len(rows[0])
    return width > 3 or (width == 3 and len(rows) > 1 and len({row[2] for row in rows}) > 1)


def open_user_lists(file: SourceFile) -> Table:
    """Lines ``user item item ...``; where a tab follows the user, the items are in order of time."""
    lines, _, _ = sample_lines(file)
    in_order = "\t" in lines[0]

    def read(columns: Sequence[str], distinct: bool) -> pa.Table:
        text = _text(file)
        rows = pa.array([line for line in text.split("\n") if line.strip()], pa.large_string())
        cells = pc.utf8_split_whitespace(pc.utf8_trim_whitespace(rows))
        lengths = pc.list_value_length(cells).to_numpy(zero_copy_only=False).astype(np.int64)
        starts = np.cumsum(lengths) - lengths
        flat = cells.flatten()
        is_item = np.ones(len(flat), dtype=bool)
        is_item[starts] = False
        n_items = lengths - 1
        table = {
            "user": flat.take(pa.array(np.repeat(starts, n_items))).cast(pa.string()),
            "item": flat.filter(pa.array(is_item)).cast(pa.string()),
            "position": pa.array((np.arange(len(flat)) - np.repeat(starts, lengths))[is_item]),
        }
        require_rows(len(table["item"]), file.name)
        return pa.table({name: table[name] for name in columns})

    names = ("user", "item", "position") if in_order else ("user", "item")
    return Table(
        file=file,
        form="lists, a user and the items after it in every line",
        names=names,
        read=read,
        has_header=False,
        roles=dict(_IN_ORDER if in_order else _ROLES),
    )


def is_json_lists(file: SourceFile) -> bool:
    """Whether a JSON file is one object of lists, user -> items."""
    if file.suffix != ".json":
        return False
    return _FIRST_LIST.match(file.head()) is not None and _is_object(file)


def _is_object(file: SourceFile) -> bool:
    """Whether the whole file is one object of lists; lines of objects are not."""
    try:
        whole = json.loads(file.content().to_pybytes())
    except (ValueError, RecursionError):
        return False
    return isinstance(whole, dict) and all(isinstance(items, list) for items in whole.values())


def open_json_lists(file: SourceFile) -> Table:
    """One JSON object, user -> list of items."""

    def read(columns: Sequence[str], distinct: bool) -> pa.Table:
        users: list[str] = []
        items: list[str] = []
        for user, liked in json.loads(file.content().to_pybytes()).items():
            for item in liked:
                if isinstance(item, bool) or not isinstance(item, str | int):
                    raise DataError(
                        expected=f"lists of item ids in {file.name}",
                        found=shorten(repr(item), 60),
                        remedy="write every item as a number or a text",
                    )
                users.append(user.strip())
                items.append(str(item).strip())
        require_rows(len(users), file.name)
        table = {"user": pa.array(users, pa.string()), "item": pa.array(items, pa.string())}
        return pa.table({name: table[name] for name in columns})

    return Table(
        file=file,
        form="JSON, a list of items for every user",
        names=("user", "item"),
        read=read,
        has_header=False,
        roles=dict(_ROLES),
    )


def _text(file: SourceFile) -> str:
    try:
        text: str = file.content().to_pybytes().decode("utf-8-sig")
        return text.replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise DataError(
            expected=f"{file.name} as UTF-8 text",
            found="bytes that are not UTF-8",
            remedy="export it again as UTF-8",
        ) from None
