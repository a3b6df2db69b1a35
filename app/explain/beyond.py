"""The tab "Beyond accuracy": what the lists of each run are like, whoever they are for."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app import cached
from app.explain.asked import Asked
from app.explain.columns import slicings
from app.explain.matrix import BY
from app.shared.downloads import csv_button
from rednd_core.evaluation.beyond import beyond_accuracy
from rednd_core.spreadsheets import without_formulas

MEANING = {
    "coverage": "share of all items that stand in at least one list",
    "gini": "how unevenly items are listed: 0 all equally often, near 1 a few items only",
    "novelty": "bits: how surprising a listed item is; an item that every user has gives 0",
    "lift": "how much more popular the lists are than what their users chose: 0 equal, 1 twice as popular",
    "diversity": "1 - mean cosine of the features of two items of a list: 0 all alike",
}


def show_beyond(asked: Asked) -> None:
    """A table of the measures by run and slice, and a line about each of them."""
    st.markdown(
        f"Of the lists of length {asked.k} of {asked.whose}. Hits play no part here: a model can be accurate "
        "and recommend the same few items to everybody."
    )
    ways = slicings(asked)
    by = str(st.session_state.get(BY))
    chosen = by if by in ways else next(iter(ways))
    table = beyond_table(asked, chosen)
    st.dataframe(
        without_formulas(table),
        hide_index=True,
        key="beyond",
        column_config={
            "coverage": st.column_config.NumberColumn(format="percent"),
            "gini": st.column_config.NumberColumn("Gini", format="%.3f"),
            "novelty": st.column_config.NumberColumn("novelty (bits)", format="%.2f"),
            "lift": st.column_config.NumberColumn("popularity lift", format="%+.2f"),
            "diversity": st.column_config.NumberColumn("intra-list diversity", format="%.3f"),
        },
        alt="Coverage, Gini coefficient, novelty, popularity lift and diversity by run and slice",
    )
    st.caption(f"Slices by {chosen}; the tab Slices chooses the column.")
    st.markdown("\n".join(f"- **{name}**: {what}." for name, what in MEANING.items()))
    csv_button(table, f"{asked.run.name}-beyond-accuracy.csv", "This table (CSV)", "beyond-csv")


def beyond_table(asked: Asked, by: str) -> pd.DataFrame:
    """``run``, ``slice``, counts and measures: all users, and the slices of users by ``by``."""
    users = asked.evaluation.users
    members = {name: users[inside] for name, inside in slicings(asked)[by]().items()}
    slices = {"all users": users, **{name: of for name, of in members.items() if len(of)}}
    tables = []
    for run in asked.runs:
        listed, items = cached.lists(run, asked.split, asked.k)
        found = beyond_accuracy(
            items, listed, asked.dataset.train_matrix, slices, cached.diversity_vectors(run)
        )
        found.insert(0, "run", run.name)
        tables.append(found)
    table = pd.concat(tables, ignore_index=True)
    return table.dropna(axis="columns", how="all").rename(
        columns={"n_users": "users (n)", "n_listed": "recommendations (n)"}
    )
