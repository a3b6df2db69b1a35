"""The tab "Tables": metrics and lists of all users, to take away with original ids."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from app import cached
from app.explain.asked import Asked
from app.shared.downloads import csv_button
from rednd_core.data.schema import IntArray
from rednd_core.evaluation.overview import top_k_table
from rednd_core.evaluation.sample import MOST_SCORES
from rednd_core.runs import Run


def show_tables(asked: Asked) -> None:
    """What each file has, and the buttons that make it."""
    n_users, n_all = asked.evaluation.n_users, asked.dataset.n_users
    sampled = n_users < asked.n_evaluable
    n_listed = len(listed_users(asked))
    those = "a sample of those" if sampled else "those"
    whose = f"all {n_all:,}" if n_listed == n_all else f"{n_listed:,} of {n_all:,}"
    st.markdown(
        f"Metrics of {n_users:,} of {n_all:,} "
        f"users ({those} with held-out {asked.held_out_name} items), and the lists of {whose}: one "
        "row a user and item, with rank and score. The lists are computed when you press the button."
    )
    every = "every user" if not sampled else f"{n_users:,} users"
    everybody = "all users" if n_listed == n_all else f"{n_listed:,} users"
    with st.container(horizontal=True):
        csv_button(
            lambda: per_user_table(asked),
            f"{'-'.join(run.name for run in asked.runs)}-per-user-{asked.split}.csv",
            f"Metrics of {every} (CSV)",
            "per-user-csv",
        )
        for run in asked.runs:
            csv_button(
                partial(all_lists, asked, run),
                f"{run.name}-top-{asked.k}.csv",
                f"Top {asked.k} of {everybody}, {run.name} (CSV)",
                f"lists-csv-{run.name}",
            )


def per_user_table(asked: Asked) -> pd.DataFrame:
    """A row for each run and user with held-out items: original id, counts, metrics at every cut-off."""
    frames = []
    for run in asked.runs:
        frame = cached.evaluation(run, asked.split).per_user
        ids = asked.users["user_id"].to_numpy()[frame["user"]]
        frame = frame.drop(columns="user")
        frame.insert(0, "user_id", ids)
        frame.insert(0, "split", asked.split)
        frame.insert(0, "run", run.name)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def listed_users(asked: Asked) -> IntArray:
    """The users whose lists can be downloaded: all users, or on large data the users that are ranked here."""
    dataset = asked.dataset
    if dataset.n_users * dataset.n_items <= MOST_SCORES:
        return np.arange(dataset.n_users)
    return asked.evaluation.users


def all_lists(asked: Asked, run: Run) -> pd.DataFrame:
    """Top-k lists of :func:`listed_users` with original ids; ``hit`` is 1 if the item is held out."""
    index, dataset, users = cached.layers(run), asked.dataset, listed_users(asked)
    table = top_k_table(
        index.user_emb,
        index.item_emb,
        dataset.train_matrix,
        asked.k,
        dataset.user_ids,
        dataset.item_ids,
        users,
    )
    pairs = dataset.held_out(asked.split)
    own = np.isin(pairs.users, users)
    held_out = pd.DataFrame(
        {
            "user_id": dataset.user_ids[pairs.users[own]],
            "item_id": dataset.item_ids[pairs.items[own]],
            f"{asked.split}_hit": np.int8(1),
        }
    )
    table = table.merge(held_out, on=["user_id", "item_id"], how="left")
    return table.fillna({f"{asked.split}_hit": 0}).astype({f"{asked.split}_hit": np.int8})
