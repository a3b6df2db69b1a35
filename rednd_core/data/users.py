"""Who the users are: an optional table beside the interactions."""

from __future__ import annotations

import pandas as pd

from rednd_core.data.ids import id_column
from rednd_core.data.schema import Dataset
from rednd_core.data.tables import counted
from rednd_core.errors import DataError


def user_table(dataset: Dataset) -> pd.DataFrame:
    """One row a user in dense order: ``user_id`` and whatever the file has, as strings.

    Rows of users that the data set does not have are left out; users without a row have empty strings.

    Raises:
        DataError: a repeated user, or an unreadable file.
    """
    if dataset.users_problem is not None:
        raise dataset.users_problem
    users = pd.DataFrame({"user_id": id_column(dataset.user_ids)})
    found = dataset.users_table
    if found is None:
        return users
    listed = found.read().rename(columns={found.key: "user_id"})
    listed = listed.rename(columns={name: name.partition(":")[0] for name in listed.columns})
    if n_repeated := int(listed["user_id"].duplicated().sum()):
        raise DataError(
            expected=f"every user once in {found.table.file.name}",
            found=counted(n_repeated, "repeated row"),
            remedy="keep one row for every user",
        )
    return users.merge(listed, on="user_id", how="left", validate="one_to_one").fillna("")
