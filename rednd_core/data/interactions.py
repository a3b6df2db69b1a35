"""Who interacted with what: ``.inter`` (MMRec), Parquet and CSV files, validated once.

In an ``.inter`` or Parquet file ids are numbers: the itemID is the item's row in the feature files
and ids without a row of their own still count. In a CSV ids are any strings, coded in order of
appearance.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rednd_core.config import ColumnNames, resolve_data_path
from rednd_core.data import parquet
from rednd_core.data.ids import IdArray, NumberIds
from rednd_core.data.numbered import PairColumns, labels, read_inter, timestamps
from rednd_core.data.pairs import ascending, pair_keys
from rednd_core.data.schema import IntArray, InteractionTable, Notice
from rednd_core.data.tables import (
    counted,
    listing,
    read_cells,
    read_header,
    refuse_cells,
    require_columns,
    shorten,
)
from rednd_core.errors import DataError

NUMBERED = (".inter", ".parquet")
ITEM_TABLES = ("items.tsv", "items.csv")
USER_TABLES = ("users.tsv", "users.csv")


def interactions_file(path: str | Path) -> Path:
    """The one interaction file that a path means: itself, or the only one in that folder.

    A folder holds one ``.inter`` or ``.parquet``, or ``interactions.csv``, or one CSV beside items and
    users tables; upper and lower case are alike, here and in the names of those.
    """
    place = resolve_data_path(str(path))
    try:
        is_file = place.is_file()
        entries = sorted(place.iterdir()) if place.is_dir() else None
    except OSError as error:
        raise DataError(
            expected="a readable data folder or file",
            found=shorten(str(error), 120),
            remedy="check the path and its permissions",
        ) from None
    if is_file:
        if not place.name.lower().endswith((*NUMBERED, ".csv")):
            raise DataError(
                expected="an .inter, .parquet or .csv file",
                found=place.name,
                remedy="name the interaction file or its folder",
            )
        return place
    if entries is None:
        raise DataError(
            expected="a data folder or file", found=f"nothing at {place}", remedy="check the path"
        )
    visible = [p for p in entries if p.is_file() and not p.name.startswith(".")]
    candidates = [p for p in visible if is_numbered(p) or p.name.lower() == "interactions.csv"]
    if not candidates:
        candidates = [p for p in visible if could_be_interactions(p.name)]
    if len(candidates) == 1:
        return candidates[0]
    raise DataError(
        expected=f"one .inter file, .parquet file or interactions.csv in {place.name or place}",
        found=listing(p.name for p in candidates) or "none of them",
        remedy="name the file itself, or keep one of them in that folder or upload"
        if candidates
        else "check the path, or rename the file",
    )


def could_be_interactions(name: str) -> bool:
    """Whether a file may be called so that holds interactions."""
    lower = name.lower()
    return lower.endswith((*NUMBERED, ".csv")) and lower not in (*ITEM_TABLES, *USER_TABLES)


def tables_named(folder: Path, names: Sequence[str]) -> list[Path]:
    """The files of a folder that are called so, in upper or lower case; sorted."""
    return sorted(p for p in folder.glob("*") if p.name.lower() in names and p.is_file())


def data_folders(root: Path) -> list[Path]:
    """The folders directly below ``root`` that hold one data set, sorted."""
    found = []
    for folder in sorted(root.iterdir()) if root.is_dir() else ():
        try:
            if folder.is_dir() and interactions_file(folder):
                found.append(folder)
        except DataError:  # several interaction files, none, or not ours to read
            continue
    return found


def is_numbered(file: Path) -> bool:
    """Whether ids in this file are row numbers (``.inter``, Parquet) and not names (CSV)."""
    return file.name.lower().endswith(NUMBERED)


def read_interactions(
    path: str | Path, columns: ColumnNames | None = None, *, item_ids: Sequence[str] = ()
) -> InteractionTable:
    """Read and validate one interaction file.

    Args:
        path: an ``.inter``, ``.parquet`` or ``.csv`` file, or a folder with one of them.
        columns: what the columns are called, where not as in MMRec.
        item_ids: for a CSV, items that come first, in this order (the items table's).

    Raises:
        DataError: with the column, the count and the first bad value.
    """
    names = columns or ColumnNames()
    file = interactions_file(path)
    required = {"user": names.user, "item": names.item, **names.model_dump(exclude_defaults=True)}
    is_parquet = file.suffix.lower() == ".parquet"
    header = parquet.read_header(file) if is_parquet else read_header(file)
    require_columns(header, required, file)
    if len(set(required.values())) < len(required):
        roles = ", ".join(f"{role} in {name!r}" for role, name in required.items())
        raise DataError(
            expected=f"every role in a column of {file.name} of its own",
            found=roles,
            remedy="give each role another column",
        )
    where = {
        name: f"column {name!r} of {file.name}"
        for name in dict.fromkeys(names.model_dump().values())
        if name in header
    }
    user_ids: IdArray
    all_item_ids: IdArray
    notices = []
    if is_numbered(file):
        read = parquet.read_columns if is_parquet else read_inter
        rows = read(file, names, where)
        user_ids, all_item_ids = (NumberIds(int(c.max()) + 1) for c in (rows.users, rows.items))
    else:
        cells = read_cells(file, list(where))
        users, user_ids = _named(cells[names.user], where[names.user], ())
        items, all_item_ids = _named(cells[names.item], where[names.item], item_ids)
        rows = PairColumns(
            users, items, labels(cells, names, where), timestamps(cells, names, where)
        )
        if item_ids and (n_more := len(all_item_ids) - len(item_ids)):
            message = f"{counted(n_more, 'item')} of {file.name} missing from the items table."
            notices.append(Notice("unlisted_items", n_more, message))

    kept, found = _distinct_pairs(rows)
    notices += found
    if "rating" in header:
        message = "Ratings are not used: every row counts as one interaction."
        notices.append(Notice("ratings_unused", len(rows.users), message))
    return InteractionTable(
        users=rows.users[kept],
        items=rows.items[kept],
        user_ids=user_ids,
        item_ids=all_item_ids,
        labels=None if rows.labels is None else rows.labels[kept],
        timestamps=None if rows.timestamps is None else rows.timestamps[kept],
        notices=tuple(notices),
    )


def _named(
    cells: pa.ChunkedArray, where: str, first: Sequence[str]
) -> tuple[NDArray[np.int32], NDArray[np.object_]]:
    filled = np.asarray(pa.compute.not_equal(cells, ""), dtype=bool)
    refuse_cells(cells, filled, "an id in every row", where)
    known = pa.array(list(first), type=pa.string())
    coded = pa.chunked_array([known, *cells.chunks]).dictionary_encode().unify_dictionaries()
    codes = np.concatenate([chunk.indices.to_numpy() for chunk in coded.chunks])
    ids = np.asarray(coded.chunk(0).dictionary.to_pylist(), dtype=object)
    return codes[len(first) :], ids


def _distinct_pairs(rows: PairColumns) -> tuple[IntArray | slice, list[Notice]]:
    """Rows to keep, ascending: of each pair the one with the earliest label, time, row."""
    keys = pair_keys(rows.users, rows.items)
    n_repeated = 0
    if not ascending(keys):
        ranked = np.sort(keys)
        n_repeated = int(np.count_nonzero(ranked[1:] == ranked[:-1]))
    if n_repeated == 0:
        return slice(None), []
    label = np.zeros(len(keys), dtype=np.int8) if rows.labels is None else rows.labels
    time = np.zeros(len(keys)) if rows.timestamps is None else rows.timestamps
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
