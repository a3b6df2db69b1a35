"""The tab "What if": one user's list with another history, modalities, depth, or without popularity."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from app import cached
from app.charts.drawn import drawn
from app.recommendations.controls import ListView
from app.recommendations.lists import by_category
from app.shared import node_select
from app.shared.downloads import csv_button, show_figure
from app.shared.product import title_of
from app.shared.readouts import readout_rule
from app.shared.text import escape_markdown
from rednd_core.data.schema import Interactions
from rednd_core.data.tables import counted
from rednd_core.evaluation.linear import LinearModel, readout_weights
from rednd_core.evaluation.what_if import NO_RANK, Change, WhatIf, what_if
from rednd_core.plots.attribution import moves_figure
from rednd_core.spreadsheets import without_formulas

DEEPEST = 16
RANKS = ("rank_before", "rank_after")


def show_what_if(view: ListView) -> None:
    """The controls of the change, and the list and the ranks before and after."""
    model = cached.linear_model(view.run)
    if model is None:
        st.info(
            f"The scores of {escape_markdown(view.run.name)} do not follow from x^0 by products alone, so "
            "nobody can say what they would be without training again. Choose a run of a model with linear "
            "propagation as Run A, such as LightGCN."
        )
        return
    st.markdown(
        "Change something, and the vectors of the trained model are propagated anew. **Nothing is trained "
        "again**: this says what the graph does with what was learned."
    )
    change = _pick_change(view, model)
    pairs = view.dataset.held_out(view.split)
    added = (pairs.users == view.user) & np.isin(pairs.items, change.add)
    held_out = Interactions(pairs.users[~added], pairs.items[~added])
    found = what_if(model, change, view.user, view.k, held_out)
    table = moved_table(view, found)
    st.markdown(moved_sentence(view, found, table))
    left, right = st.columns([2, 3])
    with left:
        show_figure(
            drawn(
                moves_figure,
                table["item"].tolist(),
                table["rank before"].fillna(0).to_numpy(np.int64),
                table["rank after"].fillna(0).to_numpy(np.int64),
                table["held out"].to_numpy(bool),
                view.k,
            ),
            key="what-if-moves",
            runs=[view.run],
            name=f"{view.run.name}-what-if",
            alt="Ranks before and after the change: "
            + "; ".join(
                f"{row['item']} {_rank(row['rank before'])} to {_rank(row['rank after'])}"
                for _, row in table[table["held out"]].iterrows()
            ),
        )
        st.caption(
            "Thick lines with diamonds: held-out items. Thin lines: the list before or after."
        )
    with right:
        st.dataframe(
            without_formulas(table),
            hide_index=True,
            key="what-if-table",
            placeholder="in the history",
            column_config={"held out": st.column_config.CheckboxColumn()},
            alt="Ranks of both lists and of the held-out items, before and after the change",
        )
        csv_button(table, f"{view.run.name}-what-if.csv", "These ranks (CSV)", "what-if-csv")


def _pick_change(view: ListView, model: LinearModel) -> Change:
    user, dataset = view.user, view.dataset
    history = by_category(dataset, view.recommended(view.run).history)
    label = partial(title_of, dataset)
    left, right = st.columns(2)
    with left:
        remove = st.multiselect(
            "Remove from the history",
            history,
            format_func=label,
            key=f"remove-{user}",
            disabled=len(model.weights) == 1,
        )
    with right:
        add = _pick_items(view, history)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        without: list[str] = []
        if len(model.ego) > 1:
            without = st.pills(
                "Without a modality", list(model.ego), selection_mode="multi", key="without"
            )
        trained = len(model.weights) - 1
        depth = st.slider(
            "Depth",
            0,
            max(DEEPEST, trained),
            trained,
            width=220,
            key=f"what-if-depth-{trained}",
            help=f"Layers of propagation; the run was trained with {trained}. What scores is "
            f"{readout_rule(cached.layers(view.run).facts)}.",
        )
        crowd = st.toggle(
            "Without popularity",
            key="without-popularity",
            help="The mean user's vector is subtracted: what is recommended to everybody scores 0.",
        )
    if len(without) == len(model.ego):
        st.warning("One modality has to stay; the last one that you left out counts.")
        without = without[:-1]
    weights = None
    if depth != trained:
        weights = readout_weights(cached.layers(view.run).facts.readout, depth)
    return Change(tuple(add), tuple(remove), tuple(without), weights, crowd)


def _pick_items(view: ListView, history: list[int]) -> list[int]:
    """Items to add: from all items, or on large data from those that a search finds."""
    dataset, key = view.dataset, f"add-{view.user}"
    options = np.setdiff1d(np.arange(dataset.n_items), history)
    if len(options) > node_select.MAX_OPTIONS:
        text = st.text_input("Search items to add", key="add-query")
        found = view.names.search(text) - dataset.n_users if text else np.empty(0, np.int64)
        kept = st.session_state.get(key, [])
        options = np.union1d(
            np.intersect1d(options, found)[: node_select.MAX_MATCHES], kept
        ).astype(np.int64)
    chosen: list[int] = st.multiselect(
        "Add to the history", options.tolist(), format_func=partial(title_of, dataset), key=key
    )
    return chosen


def moved_table(view: ListView, found: WhatIf) -> pd.DataFrame:
    """Both lists, the held-out items and what was added or removed, by their rank after the change."""
    moved = found.moved
    before, after = (moved[name].replace(NO_RANK, pd.NA).astype("Int64") for name in RANKS)
    return pd.DataFrame(
        {
            "item": [title_of(view.dataset, int(item)) for item in moved["item"]],
            "rank before": before,
            "rank after": after,
            "moved up by": before - after,
            "held out": moved["item"].isin(view.held_out),
        }
    )


def moved_sentence(view: ListView, found: WhatIf, table: pd.DataFrame) -> str:
    """What the change does to the list and to the held-out items, in a sentence."""
    before, after = (set(of.listed["item"]) for of in (found.before, found.after))
    hits = [int(of.listed["hit"].sum()) for of in (found.before, found.after)]
    held = table[table["held out"]]
    told = ", ".join(
        f"{escape_markdown(row['item'])} {_rank(row['rank before'])} → {_rank(row['rank after'])}"
        for _, row in held.head(3).iterrows()
    )
    more = f", and {len(held) - 3} more below" if len(held) > 3 else ""
    ranks = f" Ranks of held-out items: {told}{more}." if told else ""
    return (
        f"**{counted(len(after - before), 'new item')}** in the list of {len(after)}, hits {hits[0]} → "
        f"{hits[1]}.{ranks}"
    )


def _rank(rank: object) -> str:
    return "in the history" if pd.isna(rank) else f"{rank:,}"  # type: ignore[call-overload]
