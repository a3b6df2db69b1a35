"""The card of one node: its facts, its true neighbours by layer, and how true the maps are to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from app import cached
from app.embeddings.color import RECALL, SPLITS
from app.embeddings.controls import MapView
from app.embeddings.selection import BACK_TO_MAPS, CARD_ANCHOR
from app.shared.downloads import csv_button
from app.shared.product import picture_of
from app.shared.text import escape_markdown
from rednd_core import wording
from rednd_core.projection import Projection, neighbours

FIDELITY_K = 15  # neighbours; the trustworthiness of the maps uses the same number
PICTURE_WIDTH = 144
SIDES = ("items", "users", "both")
WRAPPED_ROW = (
    74  # pixels of a row of the table of neighbours: a table wraps texts in rows above 4 rem only
)
ROWS_IN_FULL = 10  # A longer table scrolls.
PICTURE_COLUMN = 64
TITLE_WIDTH = 150  # pixels of a column of titles if several layers stand side by side


def node_card(view: MapView, maps: dict[str, Projection]) -> None:
    """Draw the card of the selected node."""
    assert view.node is not None
    with st.container(border=True, key="node-card"):
        left, right = st.columns([3, 2], gap="medium")
        with left:
            _head(view, view.node)
        with right:
            _fidelity(view, view.node, maps)
        _neighbours(view, view.node)


def _head(view: MapView, node: int) -> None:
    names, data = view.names, view.data
    if names.is_user(node):
        text = st.container()
    else:
        picture, text = st.columns([1, 3])
        picture.image(
            picture_of(data, node - data.n_users), width=PICTURE_WIDTH, alt=names.titles[node]
        )
    with text:
        st.header(escape_markdown(names.titles[node]), anchor=CARD_ANCHOR)
        facts = [(names.kind(node) + " id", names.ids[node]), *_facts(view, node)]
        st.markdown(
            "  \n".join(f"{name}: **{escape_markdown(str(value))}**" for name, value in facts)
        )
        st.markdown(BACK_TO_MAPS)


def _facts(view: MapView, node: int) -> list[tuple[str, str]]:
    data, is_user = view.data, view.names.is_user(node)
    degrees = data.user_degrees if is_user else data.item_degrees
    row = node if is_user else node - data.n_users
    degree = int(degrees[row])
    rank = 1 + int((degrees > degree).sum())
    table = cached.users(view.run) if is_user else data.items
    hidden = ("user_id", "item_id", "name", "title", "image", "description")
    told = [
        (escape_markdown(str(name)), str(table[name].iloc[row]))
        for name in table.columns
        if name not in hidden and table[name].iloc[row] != ""
    ]
    if data.has_interactions:
        word = "activity rank" if is_user else "popularity rank"
        told.append(("train interactions (degree)", f"{degree:,}"))
        told.append((word, f"{rank:,} of {len(degrees):,}"))
    per_user = cached.per_user(view.run) if is_user else None
    if per_user is not None and RECALL in per_user:
        mine = per_user[per_user["user"] == row]
        told += [
            (f"{RECALL}, {SPLITS[split]}", wording.metric(value))
            for split, value in zip(mine["split"], mine[RECALL], strict=True)
        ]
    return told


def _neighbours(view: MapView, node: int) -> None:
    st.markdown("**Nearest neighbours in the original space** (cosine, not on the map)")
    kind = view.names.kind(node)
    controls = st.columns([3, 2], vertical_alignment="bottom")
    side = controls[0].segmented_control(
        "Among",
        SIDES,
        default=f"{kind}s",
        required=True,
        key=f"neighbours-of-{kind}",
        persist_state="session",
    )
    k = controls[1].select_slider(
        "How many", [5, 10, 20, 50], value=10, key="neighbours-k", persist_state="session"
    )
    table = neighbour_table(view, node, side or "both", k)
    if table.empty:
        st.info("There is no other node of that kind.")
        return
    _show_table(view, table)
    near = [set(rows["node"]) for _, rows in table.groupby("layer", sort=True)]
    if len(near) > 1:
        kept = len(near[0] & near[-1])
        st.caption(
            f"Of the {len(near[0])} nearest nodes at {view.layer_names[0]}, {kept} are still among the "
            f"nearest at {view.layer_names[-1]}. If the cosine is near 1 for all of them, the layer hardly "
            "separates them."
        )
    csv_button(
        table.drop(columns="node"),
        f"neighbours-{kind}-{view.names.ids[node]}.csv",
        f"Neighbours ({len(table):,} rows)",
        "neighbours-csv",
    )


def neighbour_table(view: MapView, node: int, side: str, k: int) -> pd.DataFrame:
    """A row for each layer and rank: layer, rank, node, type, id, title, cosine."""
    rows: list[dict[str, Any]] = []
    for layer in view.layers:
        found, cosines = cached.neighbours(view.run, view.modality, view.view, layer, node, k, side)
        rows += [
            {
                "layer": layer,
                "rank": rank,
                "node": int(other),
                "type": view.names.kind(other),
                "id": view.names.ids[other],
                "title": view.names.titles[other],
                "cosine": float(cosine),
            }
            for rank, (other, cosine) in enumerate(zip(found, cosines, strict=True), start=1)
        ]
    return pd.DataFrame(rows)


def _show_table(view: MapView, table: pd.DataFrame) -> None:
    """Show a column for each layer (and its pictures) and a row for each rank; titles wrap."""
    wide: dict[str, Any] = {}
    config: dict[str, Any] = {}
    with_pictures = bool((table["type"] == "item").any()) and "image" in view.data.items
    width = TITLE_WIDTH if len(view.layers) > 2 else None
    for layer, name in zip(view.layers, view.layer_names, strict=True):
        rows = table[table["layer"] == layer]
        if with_pictures:
            wide[f"picture {layer}"] = [_picture(view, node) for node in rows["node"]]
            config[f"picture {layer}"] = st.column_config.ImageColumn(" ", width=PICTURE_COLUMN)
        wide[name] = [
            f"{wording.cosine(cosine)} · {_called(view, node)}"
            for node, cosine in zip(rows["node"], rows["cosine"], strict=True)
        ]
        config[name] = st.column_config.TextColumn(name, width=width)
    frame = pd.DataFrame(wide, index=pd.RangeIndex(1, 1 + int(table["rank"].max()), name="rank"))
    st.dataframe(
        frame,
        column_config=config,
        height="content" if len(frame) <= ROWS_IN_FULL else "auto",
        row_height=WRAPPED_ROW if (table["type"] == "item").any() else None,
        key="neighbours-table",
    )


def _called(view: MapView, node: int) -> str:
    """The title of an item; the name and the id of a user, because first names repeat."""
    title, of = view.names.titles[node], view.names.ids[node]
    return f"{title} · {of}" if view.names.is_user(node) and of not in title.split() else title


def _picture(view: MapView, node: int) -> str | None:
    if view.names.is_user(node):
        return None
    return picture_of(view.data, node - view.data.n_users)


def _fidelity(view: MapView, node: int, maps: dict[str, Projection]) -> None:
    st.markdown("**Does the map tell the truth about this node?**")
    if node not in view.nodes:
        st.caption("This node has no train interaction, so no map shows it.")
        return
    kept = map_fidelity(view.arrays(), maps, node, view.layer_names)
    k = min(FIDELITY_K, len(view.nodes) - 1)
    st.dataframe(
        kept,
        column_config={
            name: st.column_config.NumberColumn(name, format=f"%d of {k}") for name in kept.columns
        },
        key="fidelity-table",
    )
    st.caption(
        f"How many of the {k} true nearest nodes, among the {view.n_of_total} on the map, are also among "
        f"the {k} nearest on the map. A node that looks near on the map need not be near."
    )


def map_fidelity(
    arrays: Sequence[Any], maps: dict[str, Projection], node: int, layer_names: Sequence[str]
) -> pd.DataFrame:
    """The number of true neighbours of ``node`` that a map keeps, by layer (rows) and method (columns)."""
    columns = {}
    for method, found in maps.items():
        place = int(np.flatnonzero(found.nodes == node)[0])
        k = min(FIDELITY_K, len(found.nodes) - 1)
        counts = []
        for array, flat in zip(arrays, found.coords, strict=True):
            true, _ = neighbours(array, node, k, found.nodes)
            distance = ((flat - flat[place]) ** 2).sum(axis=1)
            distance[place] = np.inf
            near = found.nodes[np.argsort(distance, kind="stable")[:k]]
            counts.append(len(np.intersect1d(true, near)))
        columns[method.upper()] = counts
    return pd.DataFrame(columns, index=pd.Index(layer_names, name="layer"))
