"""Embeddings: every layer as a map, any node and its true neighbours, two runs side by side."""

from __future__ import annotations

import streamlit as st

from app.components.embeddings_compare import compare_panel
from app.components.embeddings_export import export_panel
from app.components.embeddings_group import group_panel
from app.components.embeddings_maps import draw_maps
from app.components.embeddings_view import choose_view
from app.components.errors import explained
from app.components.node_card import node_card

INTRODUCTION = (
    "Every point is a user or an item. Each layer mixes a node with its neighbours in the graph: watch "
    "the clouds gather, and see whether what looks near **is** near."
)


@explained
def render() -> None:
    st.title("Embeddings, layer by layer")
    st.markdown(INTRODUCTION)
    view = choose_view()
    if view is None:
        return
    maps = draw_maps(view)
    if view.group:
        group_panel(view)
    if view.node is not None:
        node_card(view, maps)
    explained(lambda: compare_panel(view))()
    export_panel(view)
