"""From a folder or file to one frozen :class:`Dataset`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ParamSpec, TypeVar

import numpy as np
import pandas as pd

from rednd_core.config import ColumnNames, DataConfig, SplitRule, resolve_data_path
from rednd_core.data.features import (
    FeatureTable,
    feature_files,
    read_features,
    require_distinct,
)
from rednd_core.data.ids import IdArray, NumberIds, json_blocks
from rednd_core.data.interactions import (
    interactions_file,
    is_numbered,
    read_interactions,
)
from rednd_core.data.items import align_items, items_file, read_items
from rednd_core.data.numbered import require_number_range
from rednd_core.data.schema import Dataset, FloatArray, InteractionTable, Notice, Split
from rednd_core.data.split import Ratios
from rednd_core.data.split import split as split_table
from rednd_core.data.tables import counted
from rednd_core.errors import DataError

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Parts:
    """What could be read of a data set, and what is wrong with the rest.

    Attributes:
        path: the folder, or the file where one was named.
        table, listed, item_ids, split: None where they could not be read.
        listed: the items table as it is in the file.
        features: the readable modalities.
        errors: independent problems, in reading order; empty: everything fits together.
    """

    path: Path
    table: InteractionTable | None
    listed: pd.DataFrame | None
    features: tuple[FeatureTable, ...]
    item_ids: IdArray | None
    split: Split | None
    errors: tuple[DataError, ...]

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What was found and handled in all parts."""
        found = list(self.table.notices) if self.table else []
        if self.table is not None and self.item_ids is not None:
            # Only where ids are row numbers: else the interactions' items follow those of the table.
            known = len(self.table.item_ids)
            if n_more := len(self.item_ids) - known:
                message = (
                    f"{counted(n_more, 'item')} of the features or the items table beyond the largest "
                    f"itemID of the interactions ({known - 1:,}): kept, as isolated nodes."
                )
                found.append(Notice("items_beyond_interactions", n_more, message))
        for features in self.features:
            found += features.notices
        return (*found, *(self.split.notices if self.split else ()))


def load_dataset(
    path: str | Path,
    split: SplitRule = "auto",
    seed: int = 0,
    ratios: Ratios = (0.8, 0.1, 0.1),
    columns: ColumnNames | None = None,
) -> Dataset:
    """Read, validate and split a data set; see ``docs/data_format.md`` for the layouts.

    Args:
        path: a folder, or an interaction file whose folder holds features and items table.
        split, seed, ratios: see :func:`rednd_core.data.split.split`.
        columns: names of the columns, where not as in MMRec.

    Raises:
        DataError: the first problem; :func:`rednd_core.data.report.check` lists all.
    """
    parts = read_parts(path, split, seed, ratios, columns)
    if parts.errors:
        raise parts.errors[0]
    assert parts.table is not None
    assert parts.item_ids is not None
    assert parts.split is not None
    features = {table.modality: table.values for table in parts.features}
    return Dataset(
        name=parts.path.name if parts.path.is_dir() else parts.path.stem,
        path=str(parts.path),
        n_users=len(parts.table.user_ids),
        n_items=len(parts.item_ids),
        split=parts.split,
        user_ids=parts.table.user_ids,
        item_ids=parts.item_ids,
        features=features,
        items=align_items(parts.listed, parts.item_ids),
        digest=dataset_digest(parts.split, parts.table.user_ids, parts.item_ids, features),
        notices=parts.notices,
    )


def load_configured(config: DataConfig) -> Dataset:
    """The data set that a configuration describes; raises as :func:`load_dataset`."""
    return load_dataset(config.path, config.split, config.split_seed, config.ratios, config.columns)


def read_parts(
    path: str | Path,
    split: SplitRule = "auto",
    seed: int = 0,
    ratios: Ratios = (0.8, 0.1, 0.1),
    columns: ColumnNames | None = None,
) -> Parts:
    """Read what can be read and collect every independent problem; arguments as above.

    Raises:
        DataError: there is no single interaction file, so that nothing can be read.
    """
    file = interactions_file(path)
    errors: list[DataError] = []

    def attempt(step: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        try:
            return step(*args, **kwargs)
        except DataError as error:
            errors.append(error)
            return None

    items_path = attempt(items_file, file.parent)
    listed = attempt(read_items, items_path, columns) if items_path else None
    items_failed = bool(errors)
    first = () if listed is None or is_numbered(file) else listed["item_id"].tolist()
    table = attempt(read_interactions, file, columns, item_ids=first)
    read = [attempt(read_features, features_path) for features_path in feature_files(file.parent)]
    features = tuple(modality for modality in read if modality is not None)
    attempt(require_distinct, [modality.modality for modality in features])
    item_ids = parts = None
    if table is not None:
        parts = attempt(split_table, table, split, seed, ratios)
        if not items_failed:
            item_ids = attempt(_item_ids, file, table, listed, features)
    place = resolve_data_path(str(path))
    return Parts(place, table, listed, features, item_ids, parts, tuple(errors))


def _item_ids(
    file: Path,
    table: InteractionTable,
    listed: pd.DataFrame | None,
    features: tuple[FeatureTable, ...],
) -> IdArray:
    """Original ids of all items in dense order; refuses features and tables that do not fit."""
    item_ids: IdArray
    if is_numbered(file):
        largest = max(len(table.item_ids) - 1, _largest_listed(listed))
        n_items = max(largest + 1, *(len(modality.values) for modality in features), 0)
        item_ids, reason = NumberIds(n_items), "itemID is the row of the item"
    else:
        item_ids, reason = table.item_ids, "row k describes row k of the items table"
        if features and listed is None:
            raise DataError(
                expected=f"an items table beside {file.name} that says which item a feature row is",
                found=f"features for {features[0].modality} and no items.tsv or items.csv",
                remedy="add one with the item ids in the order of the feature rows",
            )
    for modality in features:
        if (rows := len(modality.values)) != len(item_ids):
            raise DataError(
                expected=f"{len(item_ids):,} feature rows for {modality.modality}, one for every "
                f"item ({reason})",
                found=f"{rows:,}",
                remedy="write one row for every item",
            )
    return item_ids


def _largest_listed(listed: pd.DataFrame | None) -> int:
    """The largest item number of an items table beside numbered items; -1 without a table."""
    if listed is None:
        return -1
    ids = listed["item_id"]
    numbers = ids.str.fullmatch("0|[1-9][0-9]{0,17}").astype(bool)
    if not numbers.all():
        raise DataError(
            expected="itemID numbers from 0 up in the items table of numbered items",
            found=f"{counted(int((~numbers).sum()), 'other id')} (the first is {ids[~numbers].iloc[0]!r})",
            remedy="use the numbers of the interactions",
        )
    largest = int(ids.astype("int64").max())
    require_number_range(largest, "the items table")
    return largest


def dataset_digest(
    split: Split, user_ids: IdArray, item_ids: IdArray, features: Mapping[str, FloatArray]
) -> str:
    """BLAKE2b over ids, split pairs (in canonical order already) and features, with their sizes."""
    digest = hashlib.blake2b(digest_size=16)
    for ids in (user_ids, item_ids):
        for block in json_blocks(ids):
            digest.update(block)
    for pairs in (split.train, split.valid, split.test):
        digest.update(f"|{len(pairs)}|".encode())
        for column in (pairs.users, pairs.items):
            digest.update(np.ascontiguousarray(column, dtype="<i8").data)
    for modality in sorted(features):
        values = features[modality]
        digest.update(f"|{modality}{values.shape}|".encode())
        digest.update(np.ascontiguousarray(values, dtype="<f4").data)
    return digest.hexdigest()
