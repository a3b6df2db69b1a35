"""The tab "Weak slices": groups of users for whom the metric is low, found by looking at all columns."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app import cached
from app.explain.asked import Asked
from app.explain.columns import history_columns, user_columns
from app.shared.downloads import csv_button
from app.shared.text import escape_markdown
from rednd_core.evaluation.weak_slices import LEAST_USERS, WeakSlices, weak_slices
from rednd_core.spreadsheets import without_formulas

COLUMNS = {
    "n_users": "users (n)",
    "mean": "mean inside",
    "rest": "mean of all others",
    "p": "p",
    "p_corrected": "p, corrected",
}


def show_weak(asked: Asked) -> None:
    """The weak slices of every run that is shown."""
    st.markdown(
        f"Where is **{asked.metric}** low? The app looks at every value of every column of users, and at "
        f"every pair of two columns, with at least {LEAST_USERS} users. It tells those that are lower than a "
        "random group of users would be, and lower than both of their columns alone."
    )
    columns = {**history_columns(asked), **user_columns(asked)}
    for run in asked.runs:
        found = weak_slices(cached.evaluation(run, asked.split).values(asked.metric), columns)
        st.markdown(f"## {escape_markdown(run.name)}  \n{found.sentence}")
        if len(found.table):
            table = readable(found)
            st.dataframe(
                without_formulas(table),
                hide_index=True,
                key=f"weak-{run.name}",
                column_config={
                    COLUMNS[name]: st.column_config.NumberColumn(format=form)
                    for name, form in {
                        "mean": "%.4f",
                        "rest": "%.4f",
                        "p": "%.1e",
                        "p_corrected": "%.1e",
                    }.items()
                },
                alt=f"Weak slices of {run.name}, the surest first",
            )
            csv_button(
                table,
                f"{run.name}-weak-slices.csv",
                "Weak slices (CSV)",
                f"weak-csv-{run.name}",
            )
        if found.left_out:
            told = ", ".join(escape_markdown(name) for name in found.left_out)
            st.caption(f"Not searched, as they name users one by one or are all alike: {told}.")


def readable(found: WeakSlices) -> pd.DataFrame:
    """The table with each slice as a text."""
    told = [
        " and ".join(f"{column}: {value}" for column, value in of) for of in found.table["slice"]
    ]
    return found.table.assign(slice=told).rename(columns=COLUMNS)
