"""What items are called and look like: a table beside the interactions, in the app's own columns."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from pathlib import Path, PureWindowsPath

import pandas as pd

from rednd_core.data.ids import IdArray, id_column
from rednd_core.data.layouts.headerless import GENRE_FLAGS
from rednd_core.data.layouts.names import CATEGORIES, DESCRIPTIONS, IMAGES, TITLES
from rednd_core.data.layouts.roles import plain
from rednd_core.data.layouts.side import SideTable
from rednd_core.data.schema import Dataset, Notice
from rednd_core.data.tables import counted, shorten
from rednd_core.errors import DataError

_ESCAPED_COLUMNS = ("title", "category", "description")
_MEANINGS = {
    "title": TITLES,
    "category": CATEGORIES,
    "image": IMAGES,
    "description": DESCRIPTIONS,
}
_NONE_LISTED = "(no genres listed)"
_LIST_SHARE = 0.05  # of the cells that hold several values, for a column to be one of lists
_MAY_LEAD_OUT = r"(?s)^[/\\]|^.:|\.\."
"""Every path with a root, a drive or a step up has one of these; the few that do are looked at."""


def read_items(found: SideTable) -> tuple[pd.DataFrame, tuple[Notice, ...]]:
    """An items table: a string column ``item_id`` (unique) and the other columns as strings.

    The first columns that mean title, category, image and description get these names; lists in a column
    (``A|B``, ``["A", "B"]``) become ``A, B`` and the main one is the category. HTML entities in titles,
    categories and descriptions are resolved. An empty string means that the item has no such value.

    Raises:
        DataError: an empty key, or an image path that leads out of the folder.
    """
    items = found.read().rename(columns={found.key: "item_id"})
    where = f"column {found.key!r} of {found.table.file.name}"
    if n_empty := int((items["item_id"] == "").sum()):
        raise DataError(
            expected=f"an id in every row in {where}",
            found=f"{counted(n_empty, 'row')} without one",
            remedy="correct or drop these rows",
        )
    items["item_id"] = _without_point_zero(items["item_id"])
    notices = []
    repeated = items["item_id"].duplicated()
    if n_repeated := int(repeated.sum()):
        if found.is_own:
            raise DataError(
                expected=f"every item once in {where}",
                found=counted(n_repeated, "repeated row"),
                remedy="keep one row for every item",
            )
        items = items[~repeated].reset_index(drop=True)
        message = f"Kept the first of {counted(n_repeated, 'repeated row')} of items in {where}."
        notices.append(Notice("repeated_items", n_repeated, message))
    items = _with_flags(_renamed(items))
    for name in items.columns[1:]:
        if name not in ("title", "description", "image"):
            items = _with_lists(items, name)
    if "image" in items:
        items["image"] = items["image"].str.partition("|")[0]  # the first of several
        _require_inside(items)
    for name in _ESCAPED_COLUMNS:
        if name in items:
            escaped = items[name].str.contains("&", regex=False)
            items.loc[escaped, name] = items.loc[escaped, name].map(html.unescape)
    return items, tuple(notices)


def align_items(listed: pd.DataFrame | None, item_ids: IdArray) -> pd.DataFrame:
    """One row an item in dense order; the title of an item without one is its original id."""
    items = pd.DataFrame({"item_id": id_column(item_ids)})
    if listed is not None:
        items = items.merge(listed, on="item_id", how="left", validate="one_to_one").fillna("")
    if "title" not in items:
        items["title"] = ""
    items["title"] = items["title"].where(items["title"] != "", items["item_id"])
    return items


def image_path(dataset: Dataset, item: int) -> str | None:
    """Where item ``item`` has its picture: a web address, or an absolute path in the data folder.

    None where the item has no picture or its file is absent.

    Raises:
        DataError: the path leads out of the data folder, e.g. through a symbolic link.
    """
    if "image" not in dataset.items:
        return None
    image = str(dataset.items["image"].iloc[item])
    if not image or _is_web_address(image):
        return image or None
    place = Path(dataset.path)
    try:
        folder = (place if place.is_dir() else place.parent).resolve()
        picture = folder.joinpath(*PureWindowsPath(image).parts).resolve()
        exists = picture.is_file()
    except (OSError, ValueError, RuntimeError):  # a name too long, a null byte, a loop of links
        return None
    if _leads_out(image) or not picture.is_relative_to(folder):
        raise _outside(1, image, dataset.item_ids[item])
    return str(picture) if exists else None


def _without_point_zero(ids: pd.Series) -> pd.Series:
    """Whole numbers that a program has written as ``3.0``, as the interactions' ids are read."""
    floats = ids.str.fullmatch(r"[0-9]+\.0")
    return ids.str.removesuffix(".0") if bool(floats.all()) else ids


def _renamed(items: pd.DataFrame) -> pd.DataFrame:
    """The columns that have a meaning under the app's names; RecBole's ``:type`` is dropped."""
    names = {name: name.partition(":")[0] for name in items.columns if ":" in name}
    kinds = {names[name]: name.partition(":")[2] for name in names}
    items = items.rename(columns=names)
    items = items.loc[:, ~items.columns.duplicated()]
    for meaning, known in _MEANINGS.items():
        if meaning in items.columns:
            continue
        by_plain = {plain(name): name for name in reversed(items.columns[1:])}
        found = next((by_plain[name] for name in known if name in by_plain), None)
        if found is not None:
            if meaning == "category":  # its lists stay under their own name, the main one is added
                items[meaning] = items[found]
            else:
                items = items.rename(columns={found: meaning})
            if kinds.get(found) == "token_seq" and meaning == "category":
                items[meaning] = items[found] = items[found].str.replace(" ", "|", regex=False)
    return items


def _with_flags(items: pd.DataFrame) -> pd.DataFrame:
    """Columns of 0 and 1 for every genre, as MovieLens 100k has them, as one column of genres."""
    flags = [name for name in GENRE_FLAGS if name in items.columns]
    if len(flags) < len(GENRE_FLAGS):
        return items
    is_set = items[flags].to_numpy() == "1"
    genres = ["|".join(n for n, on in zip(flags, row, strict=True) if on) for row in is_set]
    return items.drop(columns=flags).assign(genres=genres, category=genres)


def _with_lists(items: pd.DataFrame, name: str) -> pd.DataFrame:
    """A column of lists as text that reads well; of the category only the main value stays."""
    cells = items[name].replace(_NONE_LISTED, "")
    is_json = cells.str.startswith("[") & cells.str.endswith("]")
    if is_json.any():
        cells = cells.where(~is_json, cells[is_json].map(_json_list).reindex(cells.index))
    several = cells.str.contains("|", regex=False)
    if name != "category" and not is_json.any() and several.mean() < _LIST_SHARE:
        return items
    lists = cells.str.split("|")
    if name == "category":
        if several.any() and not {"categories", "genres", "genre"} & set(items.columns):
            items = items.assign(categories=cells.str.replace("|", ", ", regex=False))
        return items.assign(category=_main_values(lists.tolist()))
    return items.assign(**{name: cells.str.replace("|", ", ", regex=False)})


def _main_values(lists: Sequence[Sequence[str]]) -> list[str]:
    """The first value of every list that tells items apart: not what every list has."""
    filled = [set(values) for values in lists if any(values)]
    shared = set.intersection(*filled) if len(filled) > 1 else set()
    if all(values == filled[0] for values in filled):
        shared = set()
    return [next((v for v in values if v not in shared), values[0]) for values in lists]


def _json_list(cell: str) -> str:
    """``["A", "B"]`` as ``A|B``; as it stands where it is no such list."""
    try:
        values = json.loads(cell)
    except (ValueError, RecursionError):
        try:
            values = json.loads(cell.replace("'", '"'))
        except (ValueError, RecursionError):
            return cell
    flat = [str(v).replace("|", "/") for v in values if isinstance(v, str | int | float)]
    return "|".join(flat)


def _require_inside(items: pd.DataFrame) -> None:
    suspect = items[["item_id", "image"]][items["image"].str.contains(_MAY_LEAD_OUT)]
    local = suspect[~suspect["image"].map(_is_web_address).astype(bool)]
    outside = local[local["image"].map(_leads_out).astype(bool)]
    if len(outside):
        raise _outside(len(outside), outside["image"].iloc[0], outside["item_id"].iloc[0])


def _is_web_address(image: str) -> bool:
    return image.lower().startswith(("http://", "https://"))


def _leads_out(image: str) -> bool:
    """Whether a path is absolute or climbs; Windows rules also know ``/`` and are the stricter."""
    path = PureWindowsPath(image)
    return bool(path.drive or path.root) or ".." in path.parts


def _outside(count: int, image: str, item_id: str) -> DataError:
    return DataError(
        expected="web addresses, or image paths inside the data folder",
        found=f"{count:,} that lead out of it (the first is {shorten(image, 60)!r} of item "
        f"{shorten(item_id, 40)!r})",
        remedy="write paths relative to the data folder",
    )
