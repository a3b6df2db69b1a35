"""The line between the controls and the maps: what is selected, and links to it and back."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from app.embeddings.color import degrees
from app.embeddings.controls import ANIMATION, MapView
from app.shared import node_select
from app.shared.text import escape_markdown
from rednd_core.data.node_names import LONGEST
from rednd_core.data.tables import shorten
from rednd_core.spreadsheets import without_formulas

MAPS_ANCHOR, CARD_ANCHOR, GROUP_ANCHOR = "maps", "node-card", "node-group"
BACK_TO_MAPS = f"[↑ Back to the maps](#{MAPS_ANCHOR})"

NOTHING = {
    False: "Nothing is selected. Click a point, or draw a box or a lasso around several points.",
    True: "Nothing is selected. Find a node in the sidebar, or click a point in the panels.",
}


def selection_bar(view: MapView) -> None:
    """Say what is selected. The line is also there without a selection, so that no click moves the maps."""
    with st.container(horizontal=True, wrap=False, vertical_alignment="center", key="selection"):
        told = [*_node(view), *_group(view)]
        if told:
            st.markdown(" \u2003 ".join(told), width="stretch")
        else:
            st.caption(NOTHING[view.display == ANIMATION], width="stretch")
        st.button(
            "Clear",
            key="clear-selection",
            on_click=node_select.clear,
            icon=":material/close:",
            type="tertiary",
            disabled=not told,
        )


def point_list(view: MapView) -> None:
    """The points of the maps as a table, for readers who choose by keyboard: a row opens a node's card."""
    points = st.expander("Points of the maps as a list", key="points", on_change="rerun")
    if not points.open:
        return
    with points:
        st.dataframe(
            without_formulas(point_table(view)),
            hide_index=True,
            height=240,
            key="points-table",
            on_select=partial(
                node_select.take_row, view.names, "points-table", view.nodes.tolist()
            ),
            selection_mode="single-row",
        )
        st.caption(f"{view.n_of_total}. Choose a row to open that node's card.")


def point_table(view: MapView) -> pd.DataFrame:
    """A row for each point of the maps: type, id, title, train interactions."""
    names, nodes = view.names, view.nodes
    return pd.DataFrame(
        {
            "type": names.kinds(nodes),
            "id": names.ids[nodes],
            "title": names.titles[nodes],
            "train interactions": degrees(view.data)[nodes],
        }
    )


def _node(view: MapView) -> list[str]:
    if view.node is None:
        return []
    names = view.names
    title = escape_markdown(shorten(names.titles[view.node], LONGEST))
    of = escape_markdown(names.ids[view.node])
    return [f"**{title}** · {names.kind(view.node)} {of} · [its card ↓](#{CARD_ANCHOR})"]


def _group(view: MapView) -> list[str]:
    if not view.group:
        return []
    n_users = sum(node < view.data.n_users for node in view.group)
    n = len(view.group)
    told = (
        f"**{n:,} nodes** ({n_users:,} users, {n - n_users:,} items) · "
        f"[who they are ↓](#{GROUP_ANCHOR})"
    )
    if n > node_select.MOST_IN_ADDRESS:
        told += (
            f" · more than {node_select.MOST_IN_ADDRESS}: a link to this page does not hold them"
        )
    return [told]
