"""Several nodes chosen by box or lasso: their list, how similar they are, and their categories."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from app import cached
from app.charts.drawn import drawn
from app.embeddings.color import degrees
from app.embeddings.controls import MapView
from app.embeddings.selection import BACK_TO_MAPS, GROUP_ANCHOR
from app.shared.downloads import csv_button, show_figure
from app.shared.node_select import take_row
from rednd_core.cosine import mean_cosine
from rednd_core.plots.cohesion import cohesion_figure
from rednd_core.spreadsheets import without_formulas

TOP_CATEGORIES = 10


def group_panel(view: MapView) -> None:
    """Draw the table, the cohesion and the categories of the group."""
    nodes = np.asarray(view.group, dtype=np.int64)
    with st.container(border=True, key="node-group"):
        n_users = int((nodes < view.data.n_users).sum())
        st.header(
            f"{len(nodes):,} selected nodes: {n_users:,} users, {len(nodes) - n_users:,} items",
            anchor=GROUP_ANCHOR,
        )
        st.markdown(BACK_TO_MAPS)
        left, right = st.columns([3, 2], gap="medium")
        with left:
            _members(view, nodes)
        with right:
            _cohesion(view, nodes)
            _categories(view, nodes)


def _members(view: MapView, nodes: np.ndarray) -> None:
    table = member_table(view, nodes)
    st.dataframe(
        without_formulas(table),
        hide_index=True,
        key="group-table",
        on_select=partial(take_row, view.names, "group-table", nodes.tolist()),
        selection_mode="single-row",
    )
    st.caption("Choose a row to open that node's card.")
    csv_button(table, "selection.csv", f"Selection ({len(table):,} rows)", "group-csv")


def member_table(view: MapView, nodes: np.ndarray) -> pd.DataFrame:
    """The table of the members: type, id, title, category (if the items have one), degree."""
    columns = {
        "type": view.names.kinds(nodes),
        "id": view.names.ids[nodes],
        "title": view.names.titles[nodes],
    }
    if "category" in view.data.items:
        columns["category"] = _item_values(view, nodes, "category")
    return pd.DataFrame({**columns, "degree": degrees(view.data)[nodes]})


def _item_values(view: MapView, nodes: np.ndarray, column: str) -> np.ndarray:
    """A column of the items table for items, ``""`` for users."""
    values = np.full(len(nodes), "", dtype=object)
    of_items = nodes >= view.data.n_users
    table = view.data.items[column].to_numpy(dtype=object)
    values[of_items] = table[nodes[of_items] - view.data.n_users]
    return values


def _cohesion(view: MapView, nodes: np.ndarray) -> None:
    arrays = view.arrays()
    figure = drawn(
        cohesion_figure,
        view.layer_names,
        [mean_cosine(array[nodes]) for array in arrays],
        [cached.mean_cosine(view.run, view.modality, view.view, layer) for layer in view.layers],
        n_selected=len(nodes),
        n_all=len(view.names),
    )
    show_figure(
        figure,
        key="cohesion",
        runs=[view.run],
        alt="Mean cosine of pairs by layer, of the selection and of all nodes",
        name=f"{view.run.name}-cohesion",
    )
    st.caption(
        "Mean cosine over all pairs, in the original space, without nodes that have a zero vector. "
        "Where the two lines meet at the top, the layer no longer separates this group from the rest."
    )


def _categories(view: MapView, nodes: np.ndarray) -> None:
    if "category" not in view.data.items or not (nodes >= view.data.n_users).any():
        return
    table = top_categories(view, nodes)
    st.dataframe(
        without_formulas(table),
        hide_index=True,
        key="group-categories",
        column_config={
            "share": st.column_config.ProgressColumn("share of selected items", format="percent"),
            "overall": st.column_config.NumberColumn("share of all items", format="percent"),
        },
    )


def top_categories(view: MapView, nodes: np.ndarray) -> pd.DataFrame:
    """The table of categories: category, items, share (of the selected items), overall (of all items)."""
    of_items = nodes[nodes >= view.data.n_users] - view.data.n_users
    every = view.data.items["category"].replace("", "(none)")
    counts = every.iloc[of_items].value_counts()
    overall = every.value_counts(normalize=True)
    table = pd.DataFrame(
        {
            "category": counts.index,
            "items": counts.to_numpy(),
            "share": (counts / len(of_items)).to_numpy(),
            "overall": overall.reindex(counts.index).to_numpy(),
        }
    )
    return table.head(TOP_CATEGORIES)
