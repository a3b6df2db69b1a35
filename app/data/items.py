"""The items of a data set, as cards and as tables."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import cast

import numpy as np
import pandas as pd
import streamlit as st

from app import state
from app.shared.downloads import csv_button
from app.shared.product import product_card
from rednd_core.data import Dataset
from rednd_core.data.ids import id_column

PREVIEW = 12
ORDERS = ("most popular", "least popular", "in file order")


def show_items(data: Dataset) -> None:
    st.header("Items")
    order = st.segmented_control(
        "Show", ORDERS, default=ORDERS[0], required=True, **state.keep("items_order")
    )
    shown = _ordered(data, cast("str", order))
    with st.container(horizontal=True, gap="small"):
        for item in shown:
            count = int(data.item_degrees[item])
            product_card(
                data,
                item,
                key=f"data-item-{item}",
                facts=[f"{count:,} in train"],
            )
    st.caption(f"{len(shown)} of {data.n_items:,} items.")
    with st.container(horizontal=True):
        csv_button(
            partial(item_table, data), f"{data.name}-items.csv", "Items (CSV)", "data-items-csv"
        )
        csv_button(
            partial(user_table, data), f"{data.name}-users.csv", "Users (CSV)", "data-users-csv"
        )


def item_table(data: Dataset) -> pd.DataFrame:
    """The items table with the column train_interactions, a row for each item."""
    return data.items.assign(train_interactions=data.item_degrees)


def user_table(data: Dataset) -> pd.DataFrame:
    """A row for each user: user_id, train_interactions."""
    return pd.DataFrame(
        {"user_id": id_column(data.user_ids), "train_interactions": data.user_degrees}
    )


def _ordered(data: Dataset, order: str) -> Sequence[int]:
    """The first dense item ids in the chosen order; items that are equal in it keep the order of the ids."""
    degrees = data.item_degrees
    ranked = {
        "most popular": np.argsort(-degrees, kind="stable"),
        "least popular": np.argsort(degrees, kind="stable"),
    }.get(order, np.arange(data.n_items))
    return [int(item) for item in ranked[:PREVIEW]]
