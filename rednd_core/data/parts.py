"""The parts of a data set, each read as far as it can be, with everything that is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numpy as np
import pandas as pd

from rednd_core.config import DataConfig
from rednd_core.data import choices
from rednd_core.data.features import FeatureTable, feature_files, read_features, require_distinct
from rednd_core.data.ids import IdArray
from rednd_core.data.interactions import Rows, distinct_pairs, ordered, read_rows
from rednd_core.data.item_space import FeatureRows, aligned, feature_rows, unlisted
from rednd_core.data.items import align_items, read_items
from rednd_core.data.layouts.id_lists import with_original_ids
from rednd_core.data.layouts.recognise import Recognised, recognise
from rednd_core.data.layouts.side import SideTable, find_side_table, left_out
from rednd_core.data.layouts.source import Source, SourceFile, open_source
from rednd_core.data.numbering import as_numbers, by_appearance, by_content, by_number
from rednd_core.data.schema import InteractionTable, Notice, Split
from rednd_core.data.split import split as split_table
from rednd_core.data.tables import counted
from rednd_core.data.text_features import make_text_features
from rednd_core.errors import DataError

P = ParamSpec("P")
T = TypeVar("T")

N_PREVIEW = 5
_MOST_NUMBERS = 10_000_000  # of users or items, in runs made before ids were labels


@dataclass
class Parts:
    """What could be read of a data set, and what is wrong with the rest.

    Attributes:
        path: the folder, or the file where one was named.
        recognised: what the files were taken for, one sentence.
        preview: the first rows as they were understood, role -> value.
        table, listed, item_ids, split: None where they could not be read.
        listed: the items table, with the app's column names.
        features: the readable modalities; rows are dense items once ``item_ids`` is there.
        left_out: files and columns that were not read.
        errors: independent problems, in reading order; empty: everything fits together.
    """

    path: Path
    recognised: str = ""
    preview: tuple[dict[str, str], ...] = ()
    table: InteractionTable | None = None
    listed: pd.DataFrame | None = None
    users_table: SideTable | None = None
    users_problem: DataError | None = None
    features: tuple[FeatureTable, ...] = ()
    item_ids: IdArray | None = None
    split: Split | None = None
    left_out: tuple[str, ...] = ()
    errors: list[DataError] = field(default_factory=list)
    further_notices: list[Notice] = field(default_factory=list)

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What was found and handled in all parts."""
        found = [*(self.table.notices if self.table else ()), *self.further_notices]
        for features in self.features:
            found += features.notices
        return (*found, *(self.split.notices if self.split else ()))


def read_parts(config: DataConfig, *, numbered_by_file: bool = False) -> Parts:
    """Read what can be read of a data set and collect every independent problem.

    Args:
        numbered_by_file: number users and items as the file has them, as runs of before need it.

    Raises:
        DataError: there are no interactions, so that nothing can be read.
        ConfigError: an unknown layout.
    """
    source = open_source(config.path)
    recognised = recognise(source, config.layout, config.columns)
    parts = Parts(source.place, recognised.sentence)

    def attempt(step: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        try:
            return step(*args, **kwargs)
        except DataError as error:
            parts.errors.append(error)
            return None

    id_lists: list[SourceFile] = []
    rows = attempt(configured_rows, source, recognised, config, id_lists)
    found = attempt(find_side_table, source, recognised, "item", rows.items if rows else None)
    read_listed = attempt(read_items, found) if found else None
    if read_listed is not None:
        parts.listed, notices = read_listed
        parts.further_notices += notices
    items_failed = bool(parts.errors) and rows is not None
    try:
        parts.users_table = find_side_table(
            source, recognised, "user", rows.users if rows else None
        )
    except DataError as problem:  # It costs the names of users, and nothing else.
        parts.users_problem = problem
        parts.further_notices.append(
            Notice("users_table", 1, f"The users table is not used. {problem}")
        )
    paths = feature_files(source)
    read = [attempt(read_features, path) for path in paths]
    parts.features = tuple(modality for modality in read if modality is not None)
    attempt(require_distinct, [modality.modality for modality in parts.features])
    tables = {"items": found, "users": parts.users_table}
    described = {kind: side for kind, side in tables.items() if side is not None}
    for kind, side in described.items():
        parts.recognised += f" Table of {kind}: {side.table.file.name}, ids in {side.key!r}."
    sides = [side.table.file for side in described.values()]
    rest = left_out(source, recognised, [*sides, *id_lists])
    parts.left_out = tuple(each for each in rest if each not in {path.name for path in paths})
    if rows is None:
        return parts
    parts.preview = _preview(rows)
    number = _number_by_file if numbered_by_file else _number
    attempt(number, parts, rows, recognised, config, items_failed)
    if parts.table is not None:
        parts.split = attempt(
            split_table, parts.table, config.split, config.split_seed, config.ratios
        )
    if parts.item_ids is not None and config.text_features:
        attempt(_add_text_features, parts, config.text_features)
    return parts


def configured_rows(
    source: Source, recognised: Recognised, config: DataConfig, id_lists: list[SourceFile]
) -> Rows:
    """The rows that count, under the source's own ids; lists of ids that were read are added."""
    threshold = config.rating_threshold
    rows = read_rows(recognised, need_ratings=threshold is not None)
    users, user_list = with_original_ids(rows.users, "user", source.files)
    items, item_list = with_original_ids(rows.items, "item", source.files)
    id_lists += [file for file in (user_list, item_list) if file is not None]
    rows = replace(rows, users=users, items=items)
    return rows if threshold is None else rows.liked(threshold, recognised.name)


def _number(
    parts: Parts, rows: Rows, recognised: Recognised, config: DataConfig, items_failed: bool
) -> None:
    """Number users and items by content, leave out what the choices leave out, align the features."""
    described: FeatureRows | None = None
    error: DataError | None = None
    if not items_failed:
        try:
            described = feature_rows(
                rows.items,
                parts.features,
                parts.listed,
                rows_are_numbers=recognised.rows_are_numbers,
                name=recognised.name,
            )
        except DataError as misfit:  # the interactions are usable for the report all the same
            error = misfit
    chosen = config.sample_users is not None or config.min_interactions > 1
    users, user_ids = by_content(rows.users)
    items, item_ids = by_content(rows.items, 0 if chosen or described is None else described.ids)
    table = ordered(distinct_pairs(rows, users, items, user_ids, item_ids))
    if config.sample_users is not None:
        table = choices.sample_users(table, config.sample_users, config.split_seed)
    if config.min_interactions > 1:
        table = choices.k_core(table, config.min_interactions)
    parts.table = table
    if error is not None:
        raise error
    if items_failed:
        return
    if described is not None:
        parts.features = aligned(parts.features, described.rows_of(table.item_ids))
    parts.item_ids = table.item_ids
    parts.further_notices += _said_of_items(parts, described, chosen)


def _said_of_items(parts: Parts, described: FeatureRows | None, chosen: bool) -> list[Notice]:
    """Notices of items that only the features, or only the items table, know."""
    assert parts.table is not None
    table = parts.table
    found = []
    n_items = len(table.item_ids)
    used = np.zeros(n_items, dtype=bool)
    used[table.items] = True
    if described is not None and not chosen and (n_more := int(np.count_nonzero(~used))):
        message = (
            f"{counted(n_more, 'item')} of the features without a pair: kept, as isolated nodes."
        )
        found.append(Notice("items_beyond_interactions", n_more, message))
    if parts.listed is not None:
        n_unlisted, n_beyond = unlisted(table.item_ids, parts.listed)
        if n_unlisted and described is not None and described.by == "by the items table":
            message = f"{counted(n_unlisted, 'item')} missing from the items table."
            found.append(Notice("unlisted_items", n_unlisted, message))
        if n_beyond:
            message = (
                f"{counted(n_beyond, 'row')} of the items table without an interaction: left out."
            )
            found.append(Notice("listed_only", n_beyond, message))
    return found


def _number_by_file(
    parts: Parts, rows: Rows, recognised: Recognised, config: DataConfig, items_failed: bool
) -> None:
    """Number users and items as runs did before ids were labels: by number, or as they appear."""
    listed = [] if parts.listed is None else parts.listed["item_id"].tolist()
    n_rows = max((len(table.values) for table in parts.features), default=0)
    if recognised.files[0].suffix in (".inter", ".parquet"):
        if any(as_numbers(column).labels is not None for column in (rows.users, rows.items)):
            raise DataError(expected="whole numbers", found="other ids", remedy="train a new run")
        largest = max((int(label) for label in listed if label.isdecimal()), default=-1)
        if (
            max(map(int, (rows.users.codes.max(), rows.items.codes.max(), largest)))
            >= _MOST_NUMBERS
        ):
            raise DataError(expected="small numbers", found="large ids", remedy="train a new run")
        users, user_ids = by_number(rows.users)
        items, item_ids = by_number(rows.items, max(n_rows, largest + 1))
    else:
        users, user_ids = by_appearance(rows.users)
        items, item_ids = by_appearance(rows.items, listed)
    if n_rows not in (0, len(item_ids)):
        raise DataError(expected="a feature row an item", found=f"{n_rows:,}", remedy="add them")
    parts.table = distinct_pairs(rows, users, items, user_ids, item_ids)
    parts.item_ids = item_ids


def _preview(rows: Rows) -> tuple[dict[str, str], ...]:
    """The first rows as they were understood: role -> text."""
    first = slice(0, N_PREVIEW)
    columns: dict[str, list[Any]] = {
        "user": rows.users.spelled(first),
        "item": rows.items.spelled(first),
    }
    if rows.ratings is not None:
        columns["rating"] = [f"{value:g}" for value in rows.ratings[first]]
    if rows.timestamps is not None:
        columns["time"] = [_time(value, rows.dates_per_second) for value in rows.timestamps[first]]
    if rows.labels is not None:
        columns["part"] = [("train", "validation", "test")[part] for part in rows.labels[first]]
    shown = zip(*columns.values(), strict=True)
    return tuple(dict(zip(columns, values, strict=True)) for values in shown)


def _time(value: np.int64 | np.float64, dates_per_second: int | None) -> str:
    """A number as it is; a date as a date."""
    if dates_per_second is None:
        return str(value)
    moment = pd.Timestamp(int(value), unit="ns" if dates_per_second == 10**9 else "us")
    return moment.isoformat(sep=" ", timespec="seconds")


def _add_text_features(parts: Parts, how: str) -> None:
    assert parts.item_ids is not None
    made = make_text_features(align_items(parts.listed, parts.item_ids), how, parts.features)
    parts.features = (*parts.features, made)
