"""The page Embeddings: a map of every layer, one node with its true neighbours, two runs side by side."""

from __future__ import annotations

import streamlit as st

from app.embeddings.compare import compare_panel
from app.embeddings.controls import choose_view
from app.embeddings.export import export_panel
from app.embeddings.group import group_panel
from app.embeddings.maps import draw_maps
from app.embeddings.node_card import node_card
from app.embeddings.selection import MAPS_ANCHOR, point_list, selection_bar
from app.shared.errors import explained

INTRODUCTION = (
    "Every point is a user or an item. Do the clouds contract from layer to layer? "
    "Are points that look near **really** near?"
)


@explained
def render() -> None:
    st.title("Embeddings, layer by layer", anchor=MAPS_ANCHOR)
    st.markdown(INTRODUCTION)
    view = choose_view()
    if view is None:
        return
    selection_bar(view)
    maps = draw_maps(view)
    point_list(view)
    if view.group:
        group_panel(view)
    if view.node is not None:
        node_card(view, maps)
    explained(lambda: compare_panel(view))()
    export_panel(view)
