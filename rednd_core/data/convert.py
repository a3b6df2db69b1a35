"""Any readable data set as the canonical folder: tables with headers, ids as they are, features by item."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd

from rednd_core.config import DataConfig
from rednd_core.data.dataset import as_dataset
from rednd_core.data.ids import id_column
from rednd_core.data.pairs import pair_keys
from rednd_core.data.parts import read_parts
from rednd_core.data.schema import Dataset
from rednd_core.data.users import user_table


def convert(config: DataConfig, folder: Path) -> Dataset:
    """Write what ``config`` describes into the empty ``folder``; reading that gives the same digest.

    ``interactions.csv`` has the pairs of the three parts with their labels, and their times where there are
    some; ``items.csv`` and ``users.csv`` have a row an item and a user; ``<modality>_feat.npy`` has a row
    for each row of ``items.csv``. Pictures stay where they are.

    Returns:
        The data set that was written.

    Raises:
        DataError: the data cannot be read.
    """
    parts = read_parts(config)
    dataset = as_dataset(parts)
    assert parts.table is not None
    table = parts.table
    labels = np.full(len(table.users), -1, dtype=np.int8)
    keys = pair_keys(table.users, table.items)  # ascending: the table is in canonical order
    width = int(table.items.max()) + 1
    for label, part in enumerate((dataset.train, dataset.valid, dataset.test)):
        labels[np.searchsorted(keys, part.users * width + part.items)] = label
    kept = labels >= 0  # evaluation pairs of users that train does not have are in no part
    columns = {
        "userID": id_column(table.user_ids).to_numpy()[table.users[kept]],
        "itemID": id_column(table.item_ids).to_numpy()[table.items[kept]],
        "x_label": labels[kept],
    }
    if table.timestamps is not None:
        columns["timestamp"] = table.timestamps[kept]
    _write(pd.DataFrame(columns), folder / "interactions.csv", csv.QUOTE_MINIMAL)
    items = dataset.items.rename(columns={"item_id": "itemID"})
    items["title"] = items["title"].where(items["title"] != items["itemID"], "")
    _write(items, folder / "items.csv", csv.QUOTE_ALL)
    if dataset.users_table is not None:
        users = user_table(dataset).rename(columns={"user_id": "userID"})
        _write(users, folder / "users.csv", csv.QUOTE_ALL)
    for modality, values in dataset.features.items():
        np.save(folder / f"{modality}_feat.npy", values)
    return dataset


def _write(frame: pd.DataFrame, file: Path, quoting: int) -> None:
    frame.to_csv(file, index=False, quoting=quoting, lineterminator="\n")  # type: ignore[call-overload]
