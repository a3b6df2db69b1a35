"""Tables beside the interactions: what items are called, who the users are; found by their column of ids."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from rednd_core.data.layouts.names import ROLES, TITLES
from rednd_core.data.layouts.recognise import (
    BESIDE,
    ITEM_TABLES,
    USER_TABLES,
    Recognised,
    is_table,
    open_table,
)
from rednd_core.data.layouts.roles import plain
from rednd_core.data.layouts.source import Source, SourceFile
from rednd_core.data.layouts.table import Table
from rednd_core.data.numbering import IdColumn
from rednd_core.data.tables import listing
from rednd_core.errors import DataError

_OWN = {"item": ITEM_TABLES, "user": USER_TABLES}
_STEMS = {
    "item": re.compile(
        r"item|movie|film|artist|book|product|business|meta|title|track|song|news|venue|recipe|game|"
        r"video|article|i_id",
        re.IGNORECASE,
    ),
    "user": re.compile(r"user|member|customer|reader|person|people|reviewer|u_id", re.IGNORECASE),
}
_OTHER = {"item": "user", "user": "item"}
_LEAST_SHARE = (
    0.1  # of the interactions' ids that a table lists, where its name does not say what it is
)


@dataclass(frozen=True)
class SideTable:
    """A table with one row an item, or one a user.

    Attributes:
        key: its column of ids.
        is_own: whether it is called ``items`` or ``users``, so that it is meant as such.
    """

    table: Table
    key: str
    is_own: bool

    def read(self) -> pd.DataFrame:
        """All columns as strings, the key first; without those that have no name (row numbers)."""
        names = [self.key, *(name for name in self.table.names if name not in ("", self.key))]
        found: pd.DataFrame = self.table.read(names, False).to_pandas()
        return found.fillna("").astype("str")


def find_side_table(
    source: Source, recognised: Recognised, kind: str, ids: IdColumn | None
) -> SideTable | None:
    """The table of items or users beside the interactions, if there is one.

    Args:
        kind: ``"item"`` or ``"user"``.
        ids: the interactions' ids of that kind, where they could be read.

    Raises:
        DataError: two tables are called ``items`` or ``users``, or the one that is has no column of ids.
    """
    used = {file.place for file in recognised.files if file.member is None}
    others = [file for file in source.files if is_table(file.name) and file not in recognised.files]
    others = [file for file in others if file.member is not None or file.place not in used]
    own = [file for file in others if file.name.lower() in _OWN[kind]]
    if len(own) > 1:
        raise DataError(
            expected=f"one {kind}s table in {source.folder.name}",
            found=listing(file.name for file in own),
            remedy="keep one of them",
        )
    if own:
        table = open_table(own[0], "table")
        return SideTable(table, _own_key(table, kind, recognised.roles[kind]), is_own=True)
    if ids is None:
        return None
    labels = functools.cache(
        lambda: set(ids.distinct())
    )  # most folders have no table to compare with
    other_own = _OWN[_OTHER[kind]]
    candidates = [
        found
        for file in others
        if file.name.lower() not in other_own
        and (found := _candidate(file, recognised, kind, labels)) is not None
    ]
    return max(candidates, key=_richness, default=None)


def _own_key(table: Table, kind: str, in_interactions: str) -> str:
    """The column of ids of a table that is called ``items`` or ``users``.

    Raises:
        DataError: none, or several.
    """
    keys = _keys(table, kind, in_interactions)
    if len(keys) > 1 and in_interactions in keys:
        also = [name for name in keys if name in (f"{kind}ID", f"{kind}_id")]
        keys = also if len(also) > 1 else [in_interactions]
    if len(keys) > 1:
        raise DataError(
            expected=f"one column of {kind} ids in {table.file.name}",
            found=listing(keys),
            remedy="drop or rename the other",
        )
    if not keys:
        raise DataError(
            expected=f"column {in_interactions!r} in {table.file.name}",
            found=f"the columns {listing(table.names)}",
            remedy=f"rename the column of {kind} ids",
        )
    return keys[0]


def _keys(table: Table, kind: str, in_interactions: str) -> list[str]:
    """Columns whose names may mean ids of that kind, the likeliest first."""
    found = [name for name in table.names if name == in_interactions]
    found += [name for name in table.names if plain(name) in ROLES[kind] and name not in found]
    if not found:
        found = [name for name in table.names if plain(name) in ("id", "key")]
    return found


def _candidate(
    file: SourceFile, recognised: Recognised, kind: str, ids: Callable[[], set[str]]
) -> SideTable | None:
    """``file`` as a table of that kind; None where it is none."""
    stem_says = _STEMS[kind].search(file.stem) is not None
    other_says = _STEMS[_OTHER[kind]].search(file.stem) is not None
    if other_says and not stem_says:
        return None
    try:
        table = open_table(file, BESIDE)
        if len(table.names) < 2 or table.roles:
            return None
        keys = _keys(table, kind, recognised.roles[kind])
        if any(plain(name) in ROLES[_OTHER[kind]] for name in table.names):
            return None  # pairs of users and items: tags, other interactions
        if not keys and stem_says:
            keys = [table.names[0]]
        for key in keys:
            listed = table.read([key], False)[key].to_pylist()
            known = set(map(str, listed))
            if len(known) < 0.9 * len(listed):
                continue
            if len(known & ids()) >= _LEAST_SHARE * len(ids()):
                return SideTable(table, key, is_own=False)
    except DataError:  # not a table after all: named among what was left out
        return None
    return None


def _richness(found: SideTable) -> tuple[bool, int]:
    """A table with titles first, then the one with most columns."""
    return any(plain(name) in TITLES for name in found.table.names), len(found.table.names)


def left_out(source: Source, recognised: Recognised, used: Sequence[SourceFile]) -> tuple[str, ...]:
    """What of the source was not read: columns of the interactions, and other tables."""
    columns = recognised.unused_columns
    found = []
    if columns:
        name = recognised.files[0].name
        noun = "column" if len(columns) == 1 else "columns"
        named = [column or "without a name" for column in columns]
        found.append(f"{noun} {listing(named, most=12)} of {name}")
    rest = [file.name for file in source.files if file not in (*used, *recognised.files)]
    return (*found, *rest)
