"""Who interacted with what: ``.inter`` (MMRec) and CSV files, validated once.

In an ``.inter`` file ids are numbers: the itemID is the item's row in the feature files and ids
without a row of their own still count. In a CSV ids are any strings, coded in order of appearance.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rednd_core.config import ColumnNames, resolve_data_path
from rednd_core.data.schema import IdArray, IntArray, InteractionTable, Notice
from rednd_core.data.tables import (
    counted,
    listing,
    points_in_time,
    read_cells,
    read_header,
    refuse_cells,
    require_columns,
    shorten,
    whole_numbers,
)
from rednd_core.errors import DataError

MAX_NUMBERED = 10_000_000
"""Ids of an ``.inter`` file stay below this: a stray huge id would ask for as many embeddings."""

ITEM_TABLES = ("items.tsv", "items.csv")
USER_TABLES = ("users.tsv", "users.csv")


def interactions_file(path: str | Path) -> Path:
    """The one interaction file that a path means: itself, or the only one in that folder.

    A folder holds one ``.inter``, or ``interactions.csv``, or one CSV beside items and users tables.
    """
    try:
        place = resolve_data_path(str(path))
        is_file = place.is_file()
        entries = sorted(place.iterdir()) if place.is_dir() else None
    except (OSError, ValueError) as error:
        raise DataError(
            expected="a readable data folder or file",
            found=shorten(str(error), 120),
            remedy="check the path and its permissions",
        ) from None
    if is_file:
        if place.suffix not in (".inter", ".csv"):
            raise DataError(
                expected="an .inter or .csv file",
                found=place.name,
                remedy="name the interaction file or its folder",
            )
        return place
    if entries is None:
        raise DataError(
            expected="a data folder or file", found=f"nothing at {place}", remedy="check the path"
        )
    visible = [p for p in entries if p.is_file() and not p.name.startswith(".")]
    candidates = [p for p in visible if p.suffix == ".inter" or p.name == "interactions.csv"]
    if not candidates:
        other_tables = {*ITEM_TABLES, *USER_TABLES}
        candidates = [p for p in visible if p.suffix == ".csv" and p.name not in other_tables]
    if len(candidates) == 1:
        return candidates[0]
    raise DataError(
        expected=f"one .inter file, or one interactions.csv, in {place.name}",
        found=listing(p.name for p in candidates) or "none of them",
        remedy="name the file itself" if candidates else "check the path",
    )


def is_numbered(file: Path) -> bool:
    """Whether ids in this interaction file are row numbers (``.inter``) and not names (CSV)."""
    return file.suffix == ".inter"


def read_interactions(
    path: str | Path, columns: ColumnNames | None = None, *, item_ids: Sequence[str] = ()
) -> InteractionTable:
    """Read and validate one interaction file.

    Args:
        path: an ``.inter`` or ``.csv`` file, or a folder with one of them.
        columns: what the columns are called, where not as in MMRec.
        item_ids: for a CSV, items that come first, in this order (the items table's).

    Raises:
        DataError: with the column, the count and the first bad value.
    """
    names = columns or ColumnNames()
    file = interactions_file(path)
    optional = ("label", "timestamp")
    required = [names.user, names.item]
    required += [getattr(names, name) for name in optional if name in names.model_fields_set]
    header = read_header(file)
    require_columns(header, required, file)
    wanted = [name for name in dict.fromkeys(names.model_dump().values()) if name in header]
    cells = read_cells(file, wanted)

    notices = []
    where_user, where_item = (f"column {name!r} of {file.name}" for name in required[:2])
    if is_numbered(file):
        users, user_ids = _numbered(cells[names.user], where_user)
        items, all_item_ids = _numbered(cells[names.item], where_item)
    else:
        users, user_ids = _named(cells[names.user], where_user, ())
        items, all_item_ids = _named(cells[names.item], where_item, item_ids)
        if item_ids and (n_more := len(all_item_ids) - len(item_ids)):
            message = f"{counted(n_more, 'item')} of {file.name} missing from the items table."
            notices.append(Notice("unlisted_items", n_more, message))
    labels = timestamps = None
    if names.label in header:
        labels = _labels(cells[names.label], f"column {names.label!r} of {file.name}")
    if names.timestamp in header:
        where = f"column {names.timestamp!r} of {file.name}"
        timestamps = points_in_time(cells[names.timestamp], where)

    kept, found = _distinct_pairs(users * len(all_item_ids) + items, labels, timestamps)
    notices += found
    if "rating" in header:
        message = "Ratings are not used: every row counts as one interaction."
        notices.append(Notice("ratings_unused", len(users), message))
    return InteractionTable(
        users=users[kept],
        items=items[kept],
        user_ids=user_ids,
        item_ids=all_item_ids,
        labels=None if labels is None else labels[kept],
        timestamps=None if timestamps is None else timestamps[kept],
        notices=tuple(notices),
    )


def number_ids(n: int) -> IdArray:
    """The ids ``"0" .. str(n - 1)``, (n,)."""
    return np.arange(n).astype(str).astype(object)


def require_number_range(largest: int, where: str) -> None:
    """Refuse a stray huge id before anything as long as it is allocated."""
    if largest >= MAX_NUMBERED:
        raise DataError(
            expected=f"ids below {MAX_NUMBERED:,} in {where}",
            found=f"the id {largest:,}",
            remedy="number the ids from 0 without gaps, or use a CSV, whose ids may be any text",
        )


def _numbered(cells: pa.ChunkedArray, where: str) -> tuple[IntArray, IdArray]:
    codes = whole_numbers(cells, where)
    largest = int(codes.max())
    require_number_range(largest, where)
    return codes, number_ids(largest + 1)


def _named(cells: pa.ChunkedArray, where: str, first: Sequence[str]) -> tuple[IntArray, IdArray]:
    filled = np.asarray(pa.compute.not_equal(cells, ""), dtype=bool)
    refuse_cells(cells, filled, "an id in every row", where)
    known = pa.array(list(first), type=pa.string())
    coded = pa.chunked_array([known, *cells.chunks]).dictionary_encode().unify_dictionaries()
    codes = np.concatenate([chunk.indices.to_numpy() for chunk in coded.chunks])
    ids = np.asarray(coded.chunk(0).dictionary.to_pylist(), dtype=object)
    return codes[len(first) :].astype(np.int64), ids


def _labels(cells: pa.ChunkedArray, where: str) -> NDArray[np.int8]:
    known = np.asarray(pa.compute.is_in(cells, value_set=pa.array(["0", "1", "2"])), dtype=bool)
    refuse_cells(cells, known, "labels 0 (train), 1 (validation) or 2 (test)", where)
    labels: NDArray[np.int8] = pa.compute.cast(cells, pa.int8()).to_numpy()
    return labels


def _distinct_pairs(
    keys: IntArray, labels: NDArray[np.int8] | None, timestamps: NDArray[np.float64] | None
) -> tuple[IntArray, list[Notice]]:
    """Rows to keep, ascending: of each pair the one with the earliest label, time, row."""
    n_repeated = int(np.count_nonzero(np.diff(np.sort(keys)) == 0))
    if n_repeated == 0:
        return np.arange(len(keys)), []
    label = np.zeros(len(keys), dtype=np.int8) if labels is None else labels
    time = np.zeros(len(keys)) if timestamps is None else timestamps
    order = np.lexsort((time, label, keys))  # stable, so equal rows stay in file order
    starts = np.flatnonzero(np.diff(keys[order], prepend=-1))
    spread = np.maximum.reduceat(label[order], starts) - np.minimum.reduceat(label[order], starts)
    message = f"Dropped {counted(n_repeated, 'repeated row')}: every (user, item) pair counts once."
    notices = [Notice("duplicate_pairs", n_repeated, message)]
    if n_conflicts := int(np.count_nonzero(spread)):
        message = (
            f"Kept the earliest label (train before validation before test) of "
            f"{counted(n_conflicts, 'pair')} with different labels."
        )
        notices.append(Notice("conflicting_labels", n_conflicts, message))
    return np.sort(order[starts]), notices
