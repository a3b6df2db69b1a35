"""The tab "What if": one user's list with another history, modalities, depth, or without popularity."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from app import cached
from app.charts.drawn import drawn
from app.recommendations.change import pick_change
from app.recommendations.controls import ListView
from app.shared.downloads import csv_button, show_figure
from app.shared.product import title_of
from app.shared.text import escape_markdown
from rednd_core.data.schema import Interactions
from rednd_core.data.tables import counted
from rednd_core.evaluation.what_if import NO_RANK, WhatIf, what_if
from rednd_core.plots.attribution import moves_figure
from rednd_core.spreadsheets import without_formulas

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
    change = pick_change(view, model)
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
