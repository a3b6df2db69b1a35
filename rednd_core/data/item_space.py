"""Which items there are, and which row of the features belongs to which of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from rednd_core.data.features import FeatureTable
from rednd_core.data.ids import IdArray, NumberIds, id_column
from rednd_core.data.numbering import IdColumn, as_numbers
from rednd_core.data.schema import IntArray
from rednd_core.errors import DataError


@dataclass(frozen=True)
class FeatureRows:
    """The item of every feature row.

    Attributes:
        ids: the labels of the rows; a number n stands for the labels 0..n-1.
        by: how they were found, for people.
    """

    ids: Sequence[str] | int
    by: str

    def rows_of(self, item_ids: IdArray) -> IntArray | None:
        """The feature row of every item, (n_items,); None where row k is item k."""
        if isinstance(self.ids, int):
            if isinstance(item_ids, NumberIds) and item_ids.n == self.ids:
                return None
            return np.asarray([int(label) for label in item_ids.tolist()], dtype=np.int64)
        row_of = {label: row for row, label in enumerate(self.ids)}
        return np.asarray([row_of[label] for label in item_ids.tolist()], dtype=np.int64)


def feature_rows(
    items: IdColumn,
    features: Sequence[FeatureTable],
    listed: pd.DataFrame | None,
    *,
    rows_are_numbers: bool,
    name: str,
) -> FeatureRows | None:
    """Which item each feature row describes; None without features.

    Row k is item number k where ids are whole numbers and there are rows for all of them, or row k of the
    items table where that has as many rows. ``rows_are_numbers`` says which is tried first.

    Raises:
        DataError: modalities of different length, or neither rule fits.
    """
    if not features:
        return None
    n_rows = len(features[0].values)
    numbers = as_numbers(items)
    largest = int(numbers.codes.max()) if numbers.labels is None else None
    reason = "itemID is the row of the item"
    fitting = {}
    if largest is not None and largest < n_rows:
        fitting["number"] = FeatureRows(n_rows, "by item number")
    if "number" in fitting and rows_are_numbers:
        pass
    elif listed is not None and len(listed) == n_rows:
        known = set(listed["item_id"])
        if known.issuperset(items.distinct()):
            fitting["table"] = FeatureRows(listed["item_id"].tolist(), "by the items table")
    order = ("number", "table") if rows_are_numbers else ("table", "number")
    chosen = next((fitting[rule] for rule in order if rule in fitting), None)
    expected_rows = n_rows
    if chosen is None:
        if largest is None or not rows_are_numbers:
            if listed is None:
                raise DataError(
                    expected=f"an items table beside {name} that says which item a feature row is",
                    found=f"features for {features[0].modality} and no items.tsv or items.csv",
                    remedy="add one with the item ids in the order of the feature rows",
                )
            expected_rows = len({*listed["item_id"], *items.distinct()})
            reason = "row k describes row k of the items table"
        else:
            expected_rows = largest + 1
    for modality in features:
        if (rows := len(modality.values)) != expected_rows:
            raise DataError(
                expected=f"{expected_rows:,} feature rows for {modality.modality}, one for every "
                f"item ({reason})",
                found=f"{rows:,}",
                remedy="write one row for every item",
            )
    if chosen is None:
        raise DataError(
            expected=f"feature rows that the items of {name} can be found in ({reason})",
            found=f"{n_rows:,} rows and other items",
            remedy="list every item in the items table, in the order of the feature rows",
        )
    return chosen


def aligned(features: Sequence[FeatureTable], rows: IntArray | None) -> tuple[FeatureTable, ...]:
    """The features in dense order."""
    if rows is None:
        return tuple(features)
    return tuple(
        replace(
            table,
            values=np.ascontiguousarray(table.values[rows]),
            n_zero_rows=int(np.count_nonzero(~table.values[rows].any(axis=1))),
        )
        for table in features
    )


def unlisted(item_ids: IdArray, listed: pd.DataFrame) -> tuple[int, int]:
    """How many items the table does not list, and how many of its rows are no items."""
    n_known = int(listed["item_id"].isin(id_column(item_ids)).sum())
    return len(item_ids) - n_known, len(listed) - n_known
