"""Who the users are: an optional ``users.tsv`` or ``users.csv`` beside the interactions."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from rednd_core.config import ColumnNames
from rednd_core.data.ids import id_column
from rednd_core.data.interactions import USER_TABLES, tables_named
from rednd_core.data.schema import Dataset
from rednd_core.data.tables import counted, key_column, listing, read_cells, read_header
from rednd_core.errors import DataError


def users_file(dataset: Dataset) -> Path | None:
    """The users table of a data set, if its folder has one.

    Raises:
        DataError: there are two.
    """
    place = Path(dataset.path)
    folder = place if place.is_dir() else place.parent
    found = tables_named(folder, USER_TABLES)
    if len(found) > 1:
        raise DataError(
            expected=f"one users table in {folder.name}",
            found=listing(file.name for file in found),
            remedy="keep one of them",
        )
    return found[0] if found else None


def user_table(dataset: Dataset, columns: ColumnNames | None = None) -> pd.DataFrame:
    """One row a user in dense order: ``user_id`` and whatever the file has, as strings.

    The key column is called as in the interactions, or ``userID``, or ``user_id``. Rows of users that
    the data set does not have are left out; users without a row have empty strings.

    Raises:
        DataError: no key column or several, a repeated user, or an unreadable file.
    """
    users = pd.DataFrame({"user_id": id_column(dataset.user_ids)})
    file = users_file(dataset)
    if file is None:
        return users
    header = read_header(file)
    names = ((columns or ColumnNames()).user, "userID", "user_id")
    key = key_column(header, names, "user", file)
    listed = read_cells(file, header).to_pandas().rename(columns={key: "user_id"})
    if n_repeated := int(listed["user_id"].duplicated().sum()):
        raise DataError(
            expected=f"every user once in {file.name}",
            found=counted(n_repeated, "repeated row"),
            remedy="keep one row for every user",
        )
    return users.merge(listed, on="user_id", how="left", validate="one_to_one").fillna("")
