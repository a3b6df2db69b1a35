"""Who interacted with what: columns of any layout, checked, as one table of distinct pairs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rednd_core.config import ColumnNames
from rednd_core.data.ids import IdArray
from rednd_core.data.layouts import columns as cells
from rednd_core.data.layouts.recognise import (
    Recognised,
    could_be_interactions,
    interaction_files,
    is_table,
    recognise,
)
from rednd_core.data.layouts.source import open_source
from rednd_core.data.numbering import IdColumn, by_content, lookalikes
from rednd_core.data.pairs import ascending, pair_keys, pair_order
from rednd_core.data.schema import IntArray, InteractionTable, Notice, Times
from rednd_core.data.tables import counted
from rednd_core.errors import DataError

__all__ = ["Rows", "could_be_interactions", "data_folders", "read_interactions", "read_rows"]


@dataclass(frozen=True)
class Rows:
    """The rows of interactions as the files have them, (n,) each; None where there is no such column."""

    users: IdColumn
    items: IdColumn
    ratings: NDArray[np.float64] | None
    labels: NDArray[np.int8] | None
    timestamps: Times | None
    notices: tuple[Notice, ...] = ()
    dates_per_second: int | None = None
    """Where times were written as dates: in how many parts of a second ``timestamps`` count from 1970 UTC."""

    def __len__(self) -> int:
        return len(self.users)

    def liked(self, threshold: float, name: str) -> Rows:
        """The rows whose rating is at least ``threshold``.

        Raises:
            DataError: there are no ratings, or none is large enough.
        """
        if self.ratings is None:
            raise DataError(
                expected=f"a column of ratings in {name} for the threshold {threshold:g}",
                found="none",
                remedy="leave the threshold out, or name the column with --column rating=NAME",
            )
        kept = self.ratings >= threshold
        if not kept.any():
            raise DataError(
                expected=f"ratings of at least {threshold:g} in {name}",
                found=f"ratings from {self.ratings.min():g} to {self.ratings.max():g}",
                remedy="choose a lower threshold",
            )
        n_left_out = int(np.count_nonzero(~kept))
        message = f"Left out {counted(n_left_out, 'row')} with a rating below {threshold:g}."
        notices = [n for n in self.notices if n.code != "ratings_unused"]
        if n_left_out:
            notices.append(Notice("below_threshold", n_left_out, message))
        return replace(
            self,
            users=self.users.take(kept),
            items=self.items.take(kept),
            ratings=self.ratings[kept],
            labels=None if self.labels is None else self.labels[kept],
            timestamps=None if self.timestamps is None else self.timestamps[kept],
            notices=tuple(notices),
        )


def read_rows(recognised: Recognised, *, need_ratings: bool = False) -> Rows:
    """Read and check the columns of the recognised interactions.

    Ratings that nobody needs, and times in a column that was only taken for one, may be unreadable: that
    is said and they are not used.

    Raises:
        DataError: with the column, the count and the first bad value.
    """
    roles = recognised.roles
    wanted = list(dict.fromkeys(roles.values()))
    pieces = [table.read(wanted, True) for table, _ in recognised.tables]
    where = {role: f"column {name!r} of {recognised.name}" for role, name in roles.items()}
    column = {role: _joined([piece[name] for piece in pieces]) for role, name in roles.items()}
    parts = [part for _, part in recognised.tables]
    labels = None
    if parts[0] is not None:
        lengths = [piece.num_rows for piece in pieces]
        labels = np.repeat(np.asarray(parts, dtype=np.int8), lengths)
    elif "label" in roles:
        labels = cells.split_labels(column["label"], where["label"])
    users = cells.ids(column["user"], where["user"])
    items = cells.ids(column["item"], where["item"])
    notices = [lookalikes(users, "user"), lookalikes(items, "item")]
    ratings = timestamps = dates = None
    if "rating" in roles:
        try:
            ratings = cells.numbers(column["rating"], where["rating"])
        except DataError as error:
            if need_ratings:
                raise
            notices.append(_unused("ratings_unused", len(users), roles["rating"], error))
    if ratings is not None and ratings.min() < ratings.max():
        message = (
            f"Every row is a like: the ratings in {roles['rating']!r}, from {ratings.min():g} to "
            f"{ratings.max():g}, are not used. To count only the high ones, choose a threshold."
        )
        notices.append(Notice("ratings_unused", len(users), message))
    if "timestamp" in roles:
        try:
            timestamps = cells.times(column["timestamp"], where["timestamp"])
            dates = cells.dates_per_second(column["timestamp"])
        except DataError as error:
            if roles["timestamp"] == ColumnNames().timestamp or recognised.is_asked("timestamp"):
                raise
            notices.append(_unused("times_unused", len(users), roles["timestamp"], error))
    notices += [Notice("form", 1, said) for table, _ in recognised.tables for said in table.said]
    return Rows(
        users=users,
        items=items,
        ratings=ratings,
        labels=labels,
        timestamps=timestamps,
        notices=tuple(notice for notice in notices if notice is not None),
        dates_per_second=dates,
    )


def _unused(code: str, count: int, name: str, error: DataError) -> Notice:
    return Notice(code, count, f"The column {name!r} is not used: expected {error.expected}.")


def _joined(pieces: list[pa.ChunkedArray]) -> pa.ChunkedArray:
    """One column of several files; as text where their types differ."""
    if len({piece.type for piece in pieces}) > 1:
        pieces = [piece.cast(pa.string()) for piece in pieces]
    return pa.chunked_array([chunk for piece in pieces for chunk in piece.chunks], pieces[0].type)


def read_interactions(path: str | Path, columns: ColumnNames | None = None) -> InteractionTable:
    """Read and validate the interactions of a folder or file, in whatever layout.

    Args:
        columns: what the columns are called, where it is to be said.

    Raises:
        DataError: with the column, the count and the first bad value.
    """
    rows = read_rows(recognise(open_source(path), names=columns))
    users, user_ids = by_content(rows.users)
    items, item_ids = by_content(rows.items)
    return ordered(distinct_pairs(rows, users, items, user_ids, item_ids))


def distinct_pairs(
    rows: Rows,
    users: NDArray[np.int32],
    items: NDArray[np.int32],
    user_ids: IdArray,
    item_ids: IdArray,
) -> InteractionTable:
    """The rows under their dense ids, every pair once, in the order of the rows.

    Of a repeated pair the one with the earliest label stays, then the one with the earliest time.
    """
    kept, found = _distinct(users, items, rows)
    return InteractionTable(
        users=users[kept],
        items=items[kept],
        user_ids=user_ids,
        item_ids=item_ids,
        labels=None if rows.labels is None else rows.labels[kept],
        timestamps=None if rows.timestamps is None else rows.timestamps[kept],
        notices=(*rows.notices, *found),
    )


def ordered(table: InteractionTable) -> InteractionTable:
    """The same pairs by user, then item: what the order of rows decided, content decides."""
    order = pair_order(table.users, table.items)
    return table if order is None else table.take(order)


def data_folders(root: Path) -> list[Path]:
    """The folders directly below ``root`` that hold one data set, sorted."""
    found = []
    for folder in sorted(root.iterdir()) if root.is_dir() else ():
        try:
            if folder.is_dir() and any(is_table(p.name) for p in folder.iterdir()):
                interaction_files(open_source(folder))
                found.append(folder)
        except (DataError, OSError):  # several interaction files, none, or not ours to read
            continue
    return found


def _distinct(
    users: NDArray[np.int32], items: NDArray[np.int32], rows: Rows
) -> tuple[IntArray | slice, list[Notice]]:
    """Rows to keep, ascending: of each pair the one with the earliest label, time, row."""
    keys = pair_keys(users, items)
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
