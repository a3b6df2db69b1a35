"""Run A and run B on slices by activity and by popularity, with paired differences."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app import cached
from app.charts.drawn import drawn
from app.explain.asked import Asked
from app.shared.downloads import csv_button, show_figure
from app.shared.text import escape_markdown
from rednd_core import wording
from rednd_core.evaluation.compare import what_is_resampled
from rednd_core.plots.slices import slices_figure
from rednd_core.spreadsheets import without_formulas

COLUMNS = {
    "group": "slices of",
    "slice": "slice",
    "model": "run",
    "n_users": "users (n)",
    "n_held_out": "held-out items (n)",
    "mean": "mean",
    "low": "95 % from",
    "high": "to",
    "difference": "minus first run",
    "difference_low": "paired 95 % from",
    "difference_high": "paired to",
}
MEASURED = ("mean", "low", "high", "difference", "difference_low", "difference_high")


def show_pairs(asked: Asked) -> None:
    """Chart, sentences and table."""
    table = cached.slices(asked.runs, asked.split, asked.metric)
    st.markdown(
        "## Activity and popularity  \n"
        f"Mean {asked.metric} on {asked.held_out_name}. **Cold** users have at most 5 train "
        "interactions, **heavy** ones are the most active tenth. Items of the **head** are the most "
        "popular, which together hold a third of the train interactions; **torso** and **tail** hold "
        "a third each. Intervals resample users (95 %)."
    )
    show_figure(
        drawn(slices_figure, table, asked.metric),
        key="recommendations-slices",
        runs=asked.runs,
        name=f"{asked.run.name}-{asked.metric}-slices",
        alt=f"{asked.metric} by slice: "
        + "; ".join(
            f"{model}, {name}: {wording.metric(mean)}"
            for model, name, mean in table[["model", "slice", "mean"]].itertuples(index=False)
        ),
    )
    if sentences := verdicts(table):
        st.markdown("\n".join(f"- {sentence}" for sentence in sentences))
        st.caption(by_chance(len(sentences)))
    readable = table.rename(columns=COLUMNS)
    st.dataframe(
        without_formulas(readable),
        hide_index=True,
        key="slices-table",
        placeholder="",  # The first run has no difference to itself.
        column_config={
            COLUMNS[name]: st.column_config.NumberColumn(format="%.4f") for name in MEASURED
        },
        alt="The numbers of the chart",
    )
    csv_button(readable, f"{asked.run.name}-slices.csv", "Slices (CSV)", "slices-csv")


def by_chance(n: int) -> str:
    """What ``n`` paired 95 % intervals of two runs cover, and how many of them are clear by chance."""
    told = (
        f"{what_is_resampled((1, 1))} Each interval stands by itself: where the models do not differ, "
        "one in twenty looks clear by chance."
    )
    if n == 1:
        return told
    return (
        f"{told} Among {n} of them, at least one then does with a chance of up to about "
        f"{1 - 0.95**n:.0%}."
    )


def verdicts(table: pd.DataFrame) -> list[str]:
    """A sentence about the paired difference in each slice; none with one run."""
    if "difference" not in table:
        return []
    first, second = (escape_markdown(name) for name in table["model"].unique())
    sentences = []
    told = ["slice", "n_users", "difference", "difference_low", "difference_high"]
    paired = table.loc[table["difference"].notna(), told]
    for name, n_users, difference, low, high in paired.itertuples(index=False):
        lead = f"**{name}** (n = {n_users:,} users): "
        if low > 0:
            lead += f"**{second}** is better by {difference:.4f} [{low:.4f}, {high:.4f}]"
        elif high < 0:
            lead += f"**{first}** is better by {-difference:.4f} [{-high:.4f}, {-low:.4f}]"
        else:
            lead += f"no clear difference ({difference:+.4f} [{low:+.4f}, {high:+.4f}])"
        sentences.append(lead)
    return sentences
