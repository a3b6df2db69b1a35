"""Two runs for the same user: the items that only one of them lists, and which of these are hits."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from app.charts.drawn import drawn
from app.recommendations.controls import ListView
from app.recommendations.lists import HIT, Why, held_out_ranks
from app.shared.downloads import show_figure
from app.shared.product import product_card, title_of
from app.shared.text import escape_markdown
from rednd_core.data.tables import counted
from rednd_core.evaluation.recommend import Recommendations
from rednd_core.plots.recommendations import ranks_figure
from rednd_core.runs import Run

DIFFERENCES, WHOLE = "differences only", "whole lists"
MOST_PAIRED = 30  # held-out items in one chart


def show_pair(view: ListView, why: Why) -> None:
    """The tab "Two runs"."""
    if len(view.runs) < 2:
        st.info(
            "Choose **Run B** in the sidebar: any run on the same data and split. Then both lists of this "
            "user stand here side by side."
        )
        return
    first, second = view.runs
    a, b = view.recommended(first), view.recommended(second)
    st.markdown(overlap_sentence(a, b, first.name, second.name))
    _show_held_out(view)
    shown = st.segmented_control(
        "Show", [DIFFERENCES, WHOLE], default=DIFFERENCES, required=True, key="pair-show"
    )
    columns = st.columns(2)
    with columns[0]:
        _show_list(view, first, second, only_differences=shown == DIFFERENCES, why=why)
    with columns[1]:
        _show_list(view, second, first, only_differences=shown == DIFFERENCES, why=why)


def overlap_sentence(a: Recommendations, b: Recommendations, name_a: str, name_b: str) -> str:
    """How much two lists agree, and the hits of each part, in a sentence."""
    in_a, in_b = set(a.listed["item"]), set(b.listed["item"])
    both, either = in_a & in_b, in_a | in_b
    hits = set(a.listed.loc[a.listed["hit"], "item"]) | set(b.listed.loc[b.listed["hit"], "item"])
    jaccard = len(both) / len(either) if either else 1.0
    name_a, name_b = escape_markdown(name_a), escape_markdown(name_b)
    return (
        f"The two lists share **{counted(len(both), 'item')}** (Jaccard {jaccard:.2f}: {len(both)} of "
        f"{len(either)} different items). Hits: **{len(hits & in_a - in_b)}** only in **{name_a}**, "
        f"**{len(hits & both)}** in both, **{len(hits & in_b - in_a)}** only in **{name_b}**."
    )


def _show_held_out(view: ListView) -> None:
    if not len(view.held_out):
        return
    best = held_out_ranks(view)["item"].head(MOST_PAIRED).tolist()
    ranks = {run.name: view.ranks(run, best) for run in view.runs}
    rows = [
        {
            "item": item,
            "title": title_of(view.dataset, item),
            "model": run.name,
            "rank": ranks[run.name][item],
        }
        for run in view.runs
        for item in best
    ]
    table = pd.DataFrame(rows)
    st.markdown(
        f"### Held-out {view.held_out_name} items under both runs (n = {len(best)} of "
        f"{len(view.held_out)})"
    )
    show_figure(
        drawn(ranks_figure, table, view.k, view.recommended(view.run).n_candidates),
        key="recommendations-pair-ranks",
        runs=view.runs,
        name=f"{view.run.name}-{view.runs[1].name}-held-out-ranks",
        alt="Ranks of held-out items under two runs: "
        + "; ".join(f"{row['model']} {row['rank']}" for row in rows),
    )


def _show_list(view: ListView, run: Run, other: Run, *, only_differences: bool, why: Why) -> None:
    listed = view.recommended(run).listed
    elsewhere = view.ranks(other, listed["item"].tolist())
    alone = [elsewhere[item] > view.k for item in listed["item"]]
    shown = listed[alone] if only_differences else listed
    what = "Only in" if only_differences else "List of"
    st.markdown(
        f"### {what} {escape_markdown(run.name)}  \n{len(shown)} of {len(listed)} items, "
        f"{int(shown['hit'].sum())} of {int(listed['hit'].sum())} hits"
    )
    if shown.empty:
        st.markdown("Nothing. The other run lists all of these items as well.")
    with st.container(key=f"pair-{run.name}"):
        for rank, item, hit in shown[["rank", "item", "hit"]].itertuples(index=False):
            there = elsewhere[item]
            product_card(
                view.dataset,
                item,
                key=f"pair-{run.name}-{item}",
                lead=f"{rank}",
                facts=[f"rank {there:,} in the other"],
                badges=[HIT] if hit else [] if there <= view.k else [":gray-badge[only here]"],
                on_why=partial(why, run),
                width="stretch",
            )
