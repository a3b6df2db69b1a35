"""Metrics by slice of users and items, and tables to download."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from app import cached
from app.recommendations.controls import ListView
from app.shared.downloads import csv_button, show_figure
from app.shared.text import escape_markdown
from rednd_core import wording
from rednd_core.data.schema import IntArray
from rednd_core.evaluation.compare import what_is_resampled
from rednd_core.evaluation.overview import top_k_table
from rednd_core.evaluation.sample import MOST_SCORES
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
MEASURED = ("mean", "low", "high", "difference", "difference_low", "difference_high")


def show_slices(view: ListView) -> None:
    """The tab "Slices": chart, table, and downloads with original ids."""
    table = cached.slices(view.runs, view.split, view.metric)
    st.markdown(
        f"Mean {view.metric} on {view.held_out_name} by slice. **Cold** users have at most 5 train "
        "interactions, **heavy** ones are the most active tenth. Items of the **head** are the most "
        "popular, which together hold a third of the train interactions; **torso** and **tail** hold "
        "a third each. Intervals resample users (95 %)."
    )
    if view.sampled:
        n_ranked = view.evaluation(view.run).n_users
        st.caption(
            f"These are values of a random sample: {n_ranked:,} of {view.n_evaluable:,} users are ranked."
        )
    show_figure(
        slices_figure(table, view.metric),
        key="recommendations-slices",
        runs=view.runs,
        name=f"{view.run.name}-{view.metric}-slices",
        alt=f"{view.metric} by slice: "
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
        readable,
        hide_index=True,
        key="slices-table",
        placeholder="",  # The first run has no difference to itself.
        column_config={
            COLUMNS[name]: st.column_config.NumberColumn(format="%.4f") for name in MEASURED
        },
        alt="The numbers of the chart",
    )
    csv_button(readable, f"{view.run.name}-slices.csv", "Slices (CSV)", "slices-csv")
    _downloads(view)


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


def per_user_table(view: ListView) -> pd.DataFrame:
    """A row for each run and user with held-out items: original id, counts, metrics at every cut-off."""
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


def listed_users(view: ListView) -> IntArray:
    """The users whose lists can be downloaded: all users, or on large data the users that are ranked here."""
    dataset = view.dataset
    if dataset.n_users * dataset.n_items <= MOST_SCORES:
        return np.arange(dataset.n_users)
    return view.evaluation(view.run).users


def all_lists(view: ListView, run: Run) -> pd.DataFrame:
    """Top-k lists of :func:`listed_users` with original ids; ``hit`` is 1 if the item is held out."""
    index, dataset, users = cached.layers(run), view.dataset, listed_users(view)
    table = top_k_table(
        index.user_emb,
        index.item_emb,
        dataset.train_matrix,
        view.k,
        dataset.user_ids,
        dataset.item_ids,
        users,
    )
    pairs = dataset.held_out(view.split)
    own = np.isin(pairs.users, users)
    held_out = pd.DataFrame(
        {
            "user_id": dataset.user_ids[pairs.users[own]],
            "item_id": dataset.item_ids[pairs.items[own]],
            f"{view.split}_hit": np.int8(1),
        }
    )
    table = table.merge(held_out, on=["user_id", "item_id"], how="left")
    return table.fillna({f"{view.split}_hit": 0}).astype({f"{view.split}_hit": np.int8})


def _downloads(view: ListView) -> None:
    n_users, n_all = view.evaluation(view.run).n_users, view.dataset.n_users
    n_listed = len(listed_users(view))
    those = "a sample of those" if view.sampled else "those"
    whose = f"all {n_all:,}" if n_listed == n_all else f"{n_listed:,} of {n_all:,}"
    st.markdown(
        f"### Tables with the original ids  \nMetrics of {n_users:,} of {n_all:,} "
        f"users ({those} with held-out {view.held_out_name} items), and the lists of {whose}: one "
        "row a user and item, with rank and score. The lists are computed when you press the button."
    )
    every = "every user" if not view.sampled else f"{n_users:,} users"
    everybody = "all users" if n_listed == n_all else f"{n_listed:,} users"
    with st.container(horizontal=True):
        csv_button(
            lambda: per_user_table(view),
            f"{'-'.join(run.name for run in view.runs)}-per-user-{view.split}.csv",
            f"Metrics of {every} (CSV)",
            "per-user-csv",
        )
        for run in view.runs:
            csv_button(
                partial(all_lists, view, run),
                f"{run.name}-top-{view.k}.csv",
                f"Top {view.k} of {everybody}, {run.name} (CSV)",
                f"lists-csv-{run.name}",
            )
