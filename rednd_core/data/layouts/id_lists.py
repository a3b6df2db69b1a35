"""Original ids beside numbered lists: ``user_list.txt`` and ``item_list.txt`` of LightGCN's sets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rednd_core.data.layouts.recognise import open_table
from rednd_core.data.layouts.source import SourceFile
from rednd_core.data.numbering import IdColumn, as_numbers
from rednd_core.errors import DataError

_COLUMNS = ("remap_id", "org_id")


def with_original_ids(
    column: IdColumn, kind: str, files: Sequence[SourceFile]
) -> tuple[IdColumn, SourceFile | None]:
    """The column with original ids in place of numbers, and the list that says them.

    The column stays as it is, and there is no list, where none is called ``<kind>_list.txt``.

    Raises:
        DataError: the list names an id twice, or lacks a number.
    """
    file = next((each for each in files if each.name.lower() == f"{kind}_list.txt"), None)
    if file is None:
        return column, None
    table = open_table(file, "table")
    if not set(_COLUMNS) <= set(table.names):
        return column, None
    cells = table.read(_COLUMNS, False)
    numbers, originals = (cells[name].to_pylist() for name in _COLUMNS)
    original = dict(zip(numbers, originals, strict=True))
    if len(original) < len(numbers) or len(set(originals)) < len(originals):
        raise DataError(
            expected=f"every number and every id once in {file.name}",
            found="some more than once",
            remedy="correct that file, or take it away: then the numbers are the ids",
        )
    labels = column.distinct()
    missing = [label for label in labels if label not in original]
    if missing:
        raise DataError(
            expected=f"every {kind} of the interactions in {file.name}",
            found=f"{len(missing):,} that are not there (the first is {missing[0]!r})",
            remedy="correct that file, or take it away: then the numbers are the ids",
        )
    if column.labels is None:
        _, codes = np.unique(column.codes, return_inverse=True)
    else:
        used, codes = np.unique(column.codes, return_inverse=True)
        labels = [str(column.labels[code]) for code in used]
    named = np.asarray([original[label] for label in labels], dtype=object)
    return as_numbers(IdColumn(codes, named)), file
