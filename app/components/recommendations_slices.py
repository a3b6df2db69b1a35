"""For whom, and for which items, does a run work? And the tables to take away."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import streamlit as st

from app import cached
from app.components.downloads import csv_button, show_figure
from app.components.recommendations_view import View
from app.components.text import escape_markdown
from rednd_core.evaluation.overview import top_k_table
from rednd_core.plots.slices import slices_figure
from rednd_core.runs import Run

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


def show_slices(view: View) -> None:
    """The tab "Slices": chart, table, and downloads with original ids."""
    table = cached.slices(view.runs, view.split, view.metric)
    st.markdown(
        f"Mean {view.metric} on {view.held_out_name} by slice. **Cold** users have at most 5 train "
        "interactions, **heavy** ones are the most active tenth. Items of the **head** are the most "
        "popular, which together hold a third of the train interactions; **torso** and **tail** hold "
        "a third each. Intervals resample users (95 %)."
    )
    show_figure(
        slices_figure(table, view.metric),
        key="recommendations-slices",
        name=f"{view.run.name}-{view.metric}-slices",
        alt=f"{view.metric} by slice: "
        + "; ".join(f"{row.model}, {row.slice}: {row.mean:.3f}" for row in table.itertuples()),
    )
    if sentences := verdicts(table):
        st.markdown("\n".join(f"- {sentence}" for sentence in sentences))
        st.caption(
            f"Paired 95 % intervals of {len(sentences)} differences: with that many, about one in "
            "twenty looks clear by chance."
        )
    readable = table.rename(columns=COLUMNS)
    st.dataframe(readable, hide_index=True, key="slices-table", alt="The numbers of the chart")
    csv_button(readable, f"{view.run.name}-slices.csv", "Slices (CSV)", "slices-csv")
    _downloads(view)


def verdicts(table: pd.DataFrame) -> list[str]:
    """What the paired differences say, slice by slice; empty with one run."""
    if "difference" not in table:
        return []
    first, second = (escape_markdown(name) for name in table["model"].unique())
    sentences = []
    for row in table[table["difference"].notna()].itertuples():
        lead = f"**{row.slice}** (n = {row.n_users:,} users): "
        low, high = row.difference_low, row.difference_high
        if low > 0:
            lead += f"**{second}** is better by {row.difference:.4f} [{low:.4f}, {high:.4f}]"
        elif high < 0:
            lead += f"**{first}** is better by {-row.difference:.4f} [{-high:.4f}, {-low:.4f}]"
        else:
            lead += f"no clear difference ({row.difference:+.4f} [{low:+.4f}, {high:+.4f}])"
        sentences.append(lead)
    return sentences


def per_user_table(view: View) -> pd.DataFrame:
    """One row a run and user with held-out items: original id, counts, metrics at every cut-off."""
    frames = []
    for run in view.runs:
        frame = view.evaluation(run).per_user
        ids = view.users["user_id"].to_numpy()[frame["user"]]
        frame = frame.drop(columns="user")
        frame.insert(0, "user_id", ids)
        frame.insert(0, "split", view.split)
        frame.insert(0, "run", run.name)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def all_lists(view: View, run: Run) -> pd.DataFrame:
    """Top-k lists of all users with original ids; ``hit`` is 1 where the item is held out."""
    index, dataset = cached.layers(run), view.dataset
    table = top_k_table(
        index.user_emb,
        index.item_emb,
        dataset.train_matrix,
        view.k,
        dataset.user_ids,
        dataset.item_ids,
    )
    pairs = dataset.test if view.split == "test" else dataset.valid
    held_out = pd.DataFrame(
        {
            "user_id": dataset.user_ids[pairs.users],
            "item_id": dataset.item_ids[pairs.items],
            f"{view.split}_hit": np.int8(1),
        }
    )
    table = table.merge(held_out, on=["user_id", "item_id"], how="left")
    return table.fillna({f"{view.split}_hit": 0}).astype({f"{view.split}_hit": np.int8})


def _downloads(view: View) -> None:
    n_users = view.evaluation(view.run).n_users
    st.markdown(
        f"#### Tables with the original ids  \nMetrics of {n_users:,} of {view.dataset.n_users:,} "
        f"users (those with held-out {view.held_out_name} items), and the lists of all "
        f"{view.dataset.n_users:,}: one row a user and item, with rank and score. The lists are "
        "computed when you press the button."
    )
    with st.container(horizontal=True):
        csv_button(
            per_user_table(view),
            f"{'-'.join(run.name for run in view.runs)}-per-user-{view.split}.csv",
            "Metrics of every user (CSV)",
            "per-user-csv",
        )
        for run in view.runs:
            st.download_button(
                f"Top {view.k} of all users, {run.name} (CSV)",
                _csv_of(view, run),
                file_name=f"{run.name}-top-{view.k}.csv",
                mime="text/csv",
                key=f"lists-csv-{run.name}",
                on_click="ignore",
                icon=":material/download:",
            )


def _csv_of(view: View, run: Run) -> Callable[[], bytes]:
    return lambda: all_lists(view, run).to_csv(index=False).encode("utf-8")
