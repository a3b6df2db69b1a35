"""Which files of a source are its interactions, and how they are written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa

from rednd_core.config import ColumnNames
from rednd_core.data.layouts import binary, json_lines, lists
from rednd_core.data.layouts.roles import find_roles, require_roles
from rednd_core.data.layouts.source import Source, SourceFile
from rednd_core.data.layouts.table import Table
from rednd_core.data.layouts.text import open_text
from rednd_core.data.tables import listing, no_foreign_errors, require_readable
from rednd_core.errors import DataError, unknown_name

LAYOUTS = ("auto", "table", "headerless", "lists")
"""What ``--layout`` takes: a table with a header, one without, or a line of items for every user."""
BESIDE = "beside"
"""The layout of tables of items or users: never lists, and with a header unless the rows deny it."""

SUFFIXES = (
    *(".inter", ".csv", ".tsv", ".txt", ".dat", ".data", ".item", ".user"),
    *(*json_lines.SUFFIXES, *binary.SUFFIXES),
)
ARCHIVES = (".gz", ".zip")
ITEM_TABLES = ("items.tsv", "items.csv")
USER_TABLES = ("users.tsv", "users.csv")
PARTS = {
    **dict.fromkeys(("train", "training"), 0),
    **dict.fromkeys(("valid", "validation", "val", "dev"), 1),
    "test": 2,
}
_PART = re.compile(rf"(?:(.*)[._-])?({'|'.join(PARTS)})(\d*\.[^.]+)", re.IGNORECASE)
_NUMBERED_PART = re.compile(r"()(data|test)(\d+\.txt)", re.IGNORECASE)  # Last.fm beside LightGCN
_MAIN = ("interactions", "u.data", "ratings", "user_artists")
_LIKELY = re.compile(r"interact|rating|review|pairs|clicks|events|log", re.IGNORECASE)
_ASIDE = re.compile(r"tag|link|friend|readme|license|genre|occupation|mapping", re.IGNORECASE)


@dataclass(frozen=True)
class Recognised:
    """The interactions of a source, not read yet.

    Attributes:
        tables: the files, each with the part that it is: 0 train, 1 validation, 2 test, or None.
        roles: role -> column, the same in all of them.
        sentence: what was recognised, for people.
        names: what the columns are called, where the user said so.
    """

    tables: tuple[tuple[Table, int | None], ...]
    roles: dict[str, str]
    sentence: str
    names: ColumnNames = field(default_factory=ColumnNames)

    @property
    def files(self) -> tuple[SourceFile, ...]:
        return tuple(table.file for table, _ in self.tables)

    @property
    def unused_columns(self) -> tuple[str, ...]:
        """Columns of the first file that have no role."""
        return tuple(n for n in self.tables[0][0].names if n not in self.roles.values())

    @property
    def rows_are_numbers(self) -> bool:
        """Whether ids of this layout are, by custom, the rows of the feature files."""
        file = self.files[0]
        return file.suffix == ".inter" or file.suffix in (*binary.SUFFIXES, ".txt", ".json")

    def is_asked(self, role: str) -> bool:
        """Whether the user named the column of ``role``."""
        return role in self.names.model_dump(exclude_defaults=True)

    @property
    def name(self) -> str:
        """What messages call the table."""
        return " and ".join(file.name for file in self.files)


def recognise(source: Source, layout: str = "auto", names: ColumnNames | None = None) -> Recognised:
    """Find the interactions among the files of a source.

    Raises:
        DataError: none, or several and nothing says which; or they have no columns of users and items.
        ConfigError: an unknown layout.
    """
    if layout not in LAYOUTS:
        raise unknown_name("layout", layout, LAYOUTS)
    chosen = interaction_files(source, layout, names)
    first = open_table(chosen[0][0], layout, names)
    alike = layout if layout != "auto" else _layout_of(first)
    others = [(open_table(file, alike, names), part) for file, part in chosen[1:]]
    tables = ((first, chosen[0][1]), *others)
    roles = roles_of(first, names)
    require_roles(roles, first.names, names, first.file.name)
    for table, _ in tables[1:]:
        missing = [roles[role] for role in ("user", "item") if roles[role] not in table.names]
        if missing:
            raise DataError(
                expected=f"the columns of {first.file.name} in {table.file.name} as well",
                found=f"the columns {listing(table.names)}",
                remedy="name one file, or make the columns the same",
            )
    shared = set.intersection(*(set(table.names) for table, _ in tables))
    kept = {role: name for role, name in roles.items() if name in shared}
    return Recognised(tables, kept, _sentence(tables, kept), names or ColumnNames())


def _layout_of(table: Table) -> str:
    """The layout that another part of the same set has."""
    if table.form.startswith("lists"):
        return "lists"
    return "table" if table.has_header else "headerless"


def open_table(file: SourceFile, layout: str = "auto", names: ColumnNames | None = None) -> Table:
    """One file as a table of named columns.

    Raises:
        DataError: it is no table that can be read; also later, from the table's ``read``.
    """
    require_readable(file.place)
    with no_foreign_errors(file.name):
        table = _opened(file, layout, names)

    def read(columns: Sequence[str], distinct: bool) -> pa.Table:
        with no_foreign_errors(file.name):
            return table.read(columns, distinct)

    return replace(table, read=read)


def _opened(file: SourceFile, layout: str, names: ColumnNames | None) -> Table:
    if file.suffix in binary.SUFFIXES:
        return binary.open_binary(file)
    if file.suffix in json_lines.SUFFIXES:
        as_lists = lists.is_json_lists(file)
        return lists.open_json_lists(file) if as_lists else json_lines.open_json_lines(file)
    if layout == "lists" or (layout == "auto" and lists.is_user_lists(file)):
        return lists.open_user_lists(file)
    return open_text(file, names, layout)


def roles_of(table: Table, names: ColumnNames | None) -> dict[str, str]:
    """Role -> column: what the layout fixes, what was asked for, what the names say."""
    return {**table.roles, **find_roles(table.names, names)}


def is_table(name: str) -> bool:
    """Whether a file may be called so that holds a table, packed or not."""
    lower = name.lower().removesuffix(".gz")
    return lower.endswith(SUFFIXES)


def could_be_interactions(name: str) -> bool:
    """Whether a file may be called so that holds interactions."""
    lower = name.lower().removesuffix(".gz")
    aside = lower in (*ITEM_TABLES, *USER_TABLES) or lower.endswith((".item", ".user"))
    return is_table(name) and not aside and not _ASIDE.search(lower)


def interaction_files(
    source: Source, layout: str = "auto", names: ColumnNames | None = None
) -> list[tuple[SourceFile, int | None]]:
    """The files of the interactions, each with the part that it is, or None; the names mostly tell.

    Raises:
        DataError: none, or several and nothing says which.
    """
    parts = _parts(source)
    if source.named is not None:
        if not is_table(source.named.name):
            raise DataError(
                expected=f"a table ({listing(SUFFIXES, most=20)}) or a folder",
                found=source.named.name,
                remedy="name the interaction file or its folder",
            )
        together = [group for group in parts if source.named in [file for file, _ in group]]
        return together[0] if together else [(source.named, None)]
    candidates = [file for file in source.files if could_be_interactions(file.name)]
    inter = [file for file in candidates if file.suffix == ".inter"]
    whole = [file for file in inter if not any(file in dict(group) for group in parts)]
    main = [file for file in candidates if file.stem.lower() in _MAIN or file.name.lower() in _MAIN]
    for found in (whole, parts, main):
        if len(found) == 1:
            only = found[0]
            return only if isinstance(only, list) else [(only, None)]
        if len(found) > 1:
            names_found = [f.name if isinstance(f, SourceFile) else f[0][0].name for f in found]
            raise _unclear(source, names_found)
    return [(_likeliest(source, candidates, layout, names), None)]


def _parts(source: Source) -> list[list[tuple[SourceFile, int | None]]]:
    """Groups of files that are the train, validation and test parts of one set."""
    groups: dict[tuple[str, str], list[tuple[SourceFile, int | None]]] = {}
    for file in source.files:
        found = _PART.fullmatch(file.name) or _NUMBERED_PART.fullmatch(file.name)
        if found and is_table(file.name):
            word = found[2].lower()
            part = PARTS.get(word, 0)
            groups.setdefault((found[1] or "", found[3].lower()), []).append((file, part))
    return [
        sorted(group, key=lambda each: each[1] or 0)
        for group in groups.values()
        if {0, 2} <= {part for _, part in group} or {0, 1} <= {part for _, part in group}
    ]


def _likeliest(
    source: Source, candidates: Sequence[SourceFile], layout: str, names: ColumnNames | None
) -> SourceFile:
    """The one file that reads as interactions; the only candidate, if there is one."""
    if len(candidates) == 1 and candidates[0].suffix not in json_lines.SUFFIXES:
        return candidates[0]  # what it lacks is said of it
    scores: dict[SourceFile, int] = {}
    for file in candidates:
        try:
            table = open_table(file, layout, names)
        except DataError:
            continue
        roles = roles_of(table, names)
        if "user" not in roles or "item" not in roles:
            continue
        if not table.has_header and table.roles and file.suffix == ".txt" and not source.named:
            continue
        scores[file] = (
            ("rating" in roles)
            + ("timestamp" in roles)
            + 2 * ("label" in roles)
            + 4 * table.has_header
            + 8 * bool(_LIKELY.search(file.name))
        )
    best = [file for file, score in scores.items() if score == max(scores.values())]
    if len(best) == 1:
        return best[0]
    raise _unclear(source, [file.name for file in best])


def _unclear(source: Source, found: Sequence[str]) -> DataError:
    place = source.place
    if not source.files and (folders := source.subfolders()):
        return DataError(
            expected=f"files of one data set in {place.name or place}",
            found=f"only the folders {listing(folders)}"
            if folders[1:]
            else f"only a folder {folders[0]}",
            remedy="name the folder that holds the files",
        )
    return DataError(
        expected=f"one table of users and items in {place.name or place}",
        found=listing(found)
        or f"none of them among {listing(file.name for file in source.files) or 'no files'}",
        remedy="name the file itself, or keep one of them in that folder or upload"
        if found
        else "check the path, or name the file itself",
    )


def _sentence(tables: Sequence[tuple[Table, int | None]], roles: dict[str, str]) -> str:
    first = tables[0][0]
    files = " and ".join(table.file.name for table, _ in tables)
    words = {"user": "users", "item": "items", "rating": "ratings", "timestamp": "times"}
    words["label"] = "parts"
    columns = ", ".join(f"{words[role]} in {name!r}" for role, name in roles.items())
    header = "" if first.has_header or "user" in first.names else ", without a header"
    return f"{_family(first, roles)}{files}, {first.form}{header}: {columns}."


def _family(table: Table, roles: dict[str, str]) -> str:
    """The toolkit or collection whose files look so; empty where none is known."""
    name = table.file.name.lower()
    if any(":" in column for column in table.names) and table.file.suffix != ".csv":
        return "RecBole: "
    if table.file.suffix == ".inter":
        return "MMRec: "
    if table.form.startswith("lists") and table.names == ("user", "item"):
        return "LightGCN: "
    if name in ("u.data", "ratings.dat") or (name == "ratings.csv" and roles["item"] == "movieId"):
        return "MovieLens: "
    return ""
