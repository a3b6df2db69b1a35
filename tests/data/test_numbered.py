"""Text parsed at once says what reading every cell as text says."""

from __future__ import annotations

import numpy as np
import pytest

from rednd_core.config import ColumnNames
from rednd_core.data import numbered
from rednd_core.data.interactions import read_interactions
from rednd_core.errors import DataError

NAMES = ColumnNames()
WHERE = {name: name for name in ("userID", "itemID", "x_label")}


def outcome(file):
    try:
        table = read_interactions(file)
    except DataError as error:
        return str(error)
    return [None if c is None else c.tolist() for c in (table.users, table.items, table.labels)]


CELLS = ["7", "007", " 7 ", "-0", "+7", "0x1F", "0X1f", "1e3", "7.0", "", "NA", "nan", "null"]
CELLS += [
    "-1",
    "1_0",
    "٣",
    "9" * 7,
    "9" * 8,
    "9" * 18,
    "9" * 19,
    "9" * 20,
    '"7"',
    '"7\n"',
    "\u00a07",
]


@pytest.mark.parametrize("column", [0, 1, 2])
@pytest.mark.parametrize("cell", [*CELLS, "1", "01", "3", " 1"])
def test_both_ways_agree(inter, monkeypatch, cell, column):
    row = ["5", "6", "0"]
    row[column] = cell
    file = inter((1, 2, 0), row, (3, 4, 2))
    quick = outcome(file)
    monkeypatch.setattr(numbered, "_parsed", lambda *_: None)
    assert quick == outcome(file)


def test_plain_files_are_parsed_at_once(inter, monkeypatch):
    monkeypatch.setattr(numbered, "read_cells", lambda *_: pytest.fail("read as text"))
    rng = np.random.default_rng(0)
    rows = [tuple(row) for row in rng.integers(0, [30, 20, 3], size=(500, 3)).tolist()]
    found = numbered.read_inter(inter(*rows), NAMES, WHERE)
    columns = zip(found.users, found.items, found.labels, strict=True)
    assert [tuple(map(int, row)) for row in columns] == rows
    assert (found.users.dtype, found.labels.dtype) == (np.int32, np.int8)


def test_dates_are_left_to_the_reader_of_text(inter):
    file = inter((0, 0, "1970-01-02"), (0, 1, 60), header="userID itemID timestamp")
    with pytest.raises(DataError, match="ISO 8601"):  # a number beside a date
        read_interactions(file)
    file = inter((0, 0, "1970-01-02"), header="userID itemID timestamp")
    assert read_interactions(file).timestamps.tolist() == [86400.0]
