"""Run B beside run A: its map turned onto the map of run A, and the nodes that moved most."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from app import cached
from app.charts.drawn import drawn
from app.embeddings.controls import MapView, layer_name
from app.shared.downloads import csv_button, show_figure
from app.shared.node_select import take_points, take_row
from app.shared.text import escape_markdown
from rednd_core.data.tables import shorten
from rednd_core.plots.embedding import embedding_figure
from rednd_core.projection import Movers
from rednd_core.runs import Run
from rednd_core.spreadsheets import without_formulas

K = 15  # neighbours that are compared
TOP = 50  # rows of the table; the CSV file has all of them
LONGEST_NAME = 20  # characters that fit above a panel on a phone
MAP, CHANGE = "map-compare", "overlap of neighbourhoods"


def compare_panel(view: MapView) -> None:
    """Draw one layer of run A and of run B, and list the nodes that moved most."""
    st.header("Compare with run B", anchor=False)
    other = view.other
    if other is None:
        st.caption("Choose a run B on the same data and split in the sidebar.")
        return
    modality = view.other_modality
    n_common = min(
        len(cached.view_layers(run, of, view.view))
        for run, of in ((view.run, view.modality), (other, modality))
    )
    layer = min(view.depth, n_common - 1)
    nodes = view.nodes
    pair = cached.LayerPair(view.run, view.modality, other, modality, layer, view.view, nodes)
    moved = cached.movers(pair, K)
    _maps(view, pair, nodes, moved)
    _movers(view, other, nodes, moved)


def _maps(view: MapView, pair: cached.LayerPair, nodes: np.ndarray, moved: Movers) -> None:
    aligned = cached.aligned_pair(pair)
    runs = (pair.run, pair.other)
    names = [layer_name(pair.layer, view.view, cached.layers(run).facts) for run in runs]
    figure = drawn(
        embedding_figure,
        aligned.coords,
        nodes,
        [
            f"{shorten(run.name, LONGEST_NAME)}\n{name}"
            for run, name in zip(runs, names, strict=True)
        ],
        aligned.quality,
        aligned.collapsed,
        title="PCA of the first run",
        panel_side=340,
        color=moved.jaccard,
        color_name=CHANGE,
        hover=view.names.hover(nodes),
        selected=view.selected,
        focus=view.node,
    )
    show_figure(
        figure,
        key=MAP,
        runs=runs,
        alt=f"Maps of {runs[0].name} and {runs[1].name} at {' and '.join(dict.fromkeys(names))}, "
        f"coloured by the {CHANGE}",
        name=f"{runs[0].name}-vs-{runs[1].name}",
        on_pick=partial(take_points, view.names),
    )
    st.caption(
        f"{len(nodes):,} of {len(view.names):,} nodes (those of the map with a train interaction). The "
        "axes of two trainings are arbitrary, so the second run's vectors are rotated or mirrored as a "
        "whole (orthogonal Procrustes, never scaled) onto those of the first, and both are drawn on the "
        f"first run's widest directions. Left as difference: {aligned.residual:.0%} of the first run's "
        f"extent in all dimensions, {aligned.map_residual:.0%} on the map. Colour does not depend on the "
        "map: it is how much of a node's neighbourhood both runs agree on, in the original spaces (1: "
        "the same neighbours, 0: none in common)."
    )


def _movers(view: MapView, other: Run, nodes: np.ndarray, moved: Movers) -> None:
    is_user = nodes < view.data.n_users
    medians = [
        f"{side} {np.median(moved.jaccard[rows]):.2f}"
        for side, rows in (("users", is_user), ("items", ~is_user))
        if rows.any()
    ]
    st.markdown(
        f"**Movers: whose {moved.k} nearest nodes changed most** between "
        f"{escape_markdown(view.run.name)} and {escape_markdown(other.name)} "
        f"(median overlap: {', '.join(medians)})"
    )
    table = mover_table(view, nodes, moved)
    shown = table.head(TOP)
    ranked = nodes[moved.order].tolist()
    st.dataframe(
        without_formulas(shown),
        hide_index=True,
        key="movers-table",
        on_select=partial(take_row, view.names, "movers-table", ranked),
        selection_mode="single-row",
        column_config={
            "overlap": st.column_config.ProgressColumn(
                "overlap", format="%.2f", min_value=0.0, max_value=1.0
            )
        },
    )
    st.caption(f"{len(shown):,} of {len(table):,} nodes. Choose a row to open that node's card.")
    csv_button(
        table,
        f"movers-{view.run.name}-{other.name}.csv",
        f"Movers ({len(table):,} rows)",
        "movers-csv",
    )


def mover_table(view: MapView, nodes: np.ndarray, moved: Movers) -> pd.DataFrame:
    """The table of movers, the most changed node first: rank, type, id, title, overlap."""
    ranked = nodes[moved.order]
    return pd.DataFrame(
        {
            "rank": np.arange(1, len(ranked) + 1),
            "type": view.names.kinds(ranked),
            "id": view.names.ids[ranked],
            "title": view.names.titles[ranked],
            "overlap": moved.jaccard[moved.order],
        }
    )
