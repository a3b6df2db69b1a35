"""What items are called and look like: an optional ``items.tsv`` or ``items.csv``."""

from __future__ import annotations

import html
from pathlib import Path, PureWindowsPath

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from rednd_core.config import ColumnNames
from rednd_core.data.ids import IdArray, id_column
from rednd_core.data.interactions import ITEM_TABLES, tables_named
from rednd_core.data.schema import Dataset
from rednd_core.data.tables import (
    counted,
    key_column,
    listing,
    read_cells,
    read_header,
    refuse_cells,
    shorten,
)
from rednd_core.errors import DataError

_ESCAPED_COLUMNS = ("title", "category", "description")
_MAY_LEAD_OUT = r"(?s)^[/\\]|^.:|\.\."
"""Every path with a root, a drive or a step up has one of these; the few that do are looked at."""


def items_file(folder: Path) -> Path | None:
    """The items table of a folder, if it has one."""
    found = tables_named(folder, ITEM_TABLES)
    if len(found) > 1:
        raise DataError(
            expected=f"one items table in {folder.name}",
            found=listing(p.name for p in found),
            remedy="keep one of them",
        )
    return found[0] if found else None


def read_items(path: str | Path, columns: ColumnNames | None = None) -> pd.DataFrame:
    """Read an items table: a string column ``item_id`` (unique) and the other columns as strings.

    The key column is called as in the interactions, or ``itemID``, or ``item_id``. HTML entities in
    titles, categories and descriptions are resolved; ``image_url`` becomes ``image`` where there is
    no ``image``; an empty string means that the item has no such value.

    Raises:
        DataError: no key, a repeated or empty key, or an image path that leads out of the folder.
    """
    file = Path(path)
    header = read_header(file)
    names = ((columns or ColumnNames()).item, "itemID", "item_id")
    key = key_column(header, names, "item", file)
    cells = read_cells(file, header)
    where = f"column {key!r} of {file.name}"
    filled = np.asarray(pc.not_equal(cells[key], ""), dtype=bool)
    refuse_cells(cells[key], filled, "an id in every row", where)
    items: pd.DataFrame = cells.to_pandas().rename(columns={key: "item_id"})
    items = items[["item_id", *(name for name in items if name != "item_id")]]
    if "image" not in items:
        items = items.rename(columns={"image_url": "image"})
    if n_repeated := int(items["item_id"].duplicated().sum()):
        raise DataError(
            expected=f"every item once in {where}",
            found=counted(n_repeated, "repeated row"),
            remedy="keep one row for every item",
        )
    for name in _ESCAPED_COLUMNS:
        if name in items:
            escaped = items[name].str.contains("&", regex=False)
            items.loc[escaped, name] = items.loc[escaped, name].map(html.unescape)
    if "image" in items:
        _require_inside(items)
    return items


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
