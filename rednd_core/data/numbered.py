"""Columns of interaction files as numbers, and the rules that whole numbers and labels obey."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rednd_core.config import ColumnNames
from rednd_core.data.tables import (
    points_in_time,
    read_cells,
    read_typed,
    refuse_cells,
    whole_numbers,
)
from rednd_core.errors import DataError

MAX_NUMBERED = 10_000_000
"""Numbered ids stay below this: a stray huge id would ask for as many embeddings."""

LABELS_WANTED = "labels 0 (train), 1 (validation) or 2 (test)"
_LABELS = pa.array(["0", "1", "2"])


@dataclass(frozen=True)
class PairColumns:
    """One file's rows, (n,) each, repeated pairs included; None where there is no such column."""

    users: NDArray[np.int32]
    items: NDArray[np.int32]
    labels: NDArray[np.int8] | None
    timestamps: NDArray[np.float64] | None


def read_inter(file: Path, names: ColumnNames, where: Mapping[str, str]) -> PairColumns:
    """The columns of an ``.inter`` file; ``where`` says in errors what a column is called.

    Raises:
        DataError: a cell that is no whole number, label or time.
    """
    quick = _parsed(file, names, where)
    if quick is not None:
        return quick
    cells = read_cells(file, list(where))
    return PairColumns(
        users=dense(whole_numbers(cells[names.user], where[names.user]), where[names.user]),
        items=dense(whole_numbers(cells[names.item], where[names.item]), where[names.item]),
        labels=labels(cells, names, where),
        timestamps=timestamps(cells, names, where),
    )


def dense(numbers: NDArray[np.int64], where: str) -> NDArray[np.int32]:
    """Ids from 0 up as int32, after a check of their range."""
    require_number_range(int(numbers.max()), where)
    return numbers.astype(np.int32)


def require_number_range(largest: int, where: str) -> None:
    """Refuse a stray huge id before anything as long as it is allocated."""
    if largest >= MAX_NUMBERED:
        raise DataError(
            expected=f"ids below {MAX_NUMBERED:,} in {where}",
            found=f"the id {largest:,}",
            remedy="number the ids from 0 without gaps, or use a CSV, whose ids may be any text",
        )


def labels(
    cells: pa.Table, names: ColumnNames, where: Mapping[str, str]
) -> NDArray[np.int8] | None:
    """The column of labels, which holds text."""
    if names.label not in where:
        return None
    column = cells[names.label]
    known = np.asarray(pc.is_in(column, value_set=_LABELS), dtype=bool)
    refuse_cells(column, known, LABELS_WANTED, where[names.label])
    found: NDArray[np.int8] = pc.cast(column, pa.int8()).to_numpy()
    return found


def timestamps(
    cells: pa.Table, names: ColumnNames, where: Mapping[str, str]
) -> NDArray[np.float64] | None:
    """The column of times, which holds text."""
    if names.timestamp not in where:
        return None
    return points_in_time(cells[names.timestamp], where[names.timestamp])


def _parsed(file: Path, names: ColumnNames, where: Mapping[str, str]) -> PairColumns | None:
    """An ``.inter`` file without a string a cell; None where any cell needs a closer look."""
    types = dict.fromkeys((names.user, names.item), pa.int64())
    if names.label in where:
        types[names.label] = pa.dictionary(pa.int32(), pa.string())
    if len(types) < len(where):  # times keep their text: they may be dates
        return None
    table = read_typed(file, types)
    if table is None:
        return None
    users, items = (table[name].to_numpy() for name in (names.user, names.item))
    if min(users.min(), items.min()) < 0 or max(users.max(), items.max()) >= MAX_NUMBERED:
        return None
    found = None
    if names.label in where:
        column = table[names.label].unify_dictionaries()
        spelled = column.chunk(0).dictionary
        if not pc.all(pc.is_in(spelled, value_set=_LABELS)).as_py():
            return None
        codes = np.concatenate([chunk.indices.to_numpy() for chunk in column.chunks])
        found = spelled.cast(pa.int8()).to_numpy()[codes]
    return PairColumns(users.astype(np.int32), items.astype(np.int32), found, None)
