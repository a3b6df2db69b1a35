"""Where the score of one item comes from: bars of its parts, and a map of its pairs of layers."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from app import cached
from app.charts.drawn import drawn
from app.recommendations.controls import ListView
from app.shared.downloads import show_figure
from app.shared.product import title_of
from rednd_core.errors import RedndError
from rednd_core.evaluation.attribution import ITEM_GRAPH, OWN, Attribution
from rednd_core.evaluation.explain import Explanation
from rednd_core.plots.attribution import layer_pairs_figure, parts_bars
from rednd_core.runs import Run

USER_SIDE, ITEM_SIDE, PAIRS = "the user's history", "the item's users", "pairs of layers"
N_BARS = 10  # parts with a bar of their own; one more bar holds the others


def show_parts(view: ListView, run: Run, this: Explanation) -> None:
    """The parts of a score in one of three ways, each of which adds up to the score."""
    try:
        found = cached.attribution(run, view.user, this.item)
    except RedndError as error:
        st.caption(f"The score of this model cannot be divided into parts: {error.found}.")
        return
    if not found.exact:
        st.warning(found.sentence, icon=":material/rule:")
    way = st.segmented_control(
        f"Where the score {this.score:.3f} comes from",
        [USER_SIDE, ITEM_SIDE, PAIRS],
        default=USER_SIDE,
        required=True,
        key="parts-by",
        help="The same score in three sums. By the user: the user's own vector and one term for every "
        "train item. By the item: the item's own vector, one term for every user who has it, and the item "
        "graph. By layers: which layer of the user meets which layer of the item.",
    )
    if way == PAIRS:
        figure = drawn(layer_pairs_figure, found.by_layers, found.by_item_graph)
        alt = "Part of the score of every pair of a user's layer and an item's layer."
    else:
        table = history_parts(view, found) if way == USER_SIDE else audience_parts(view, found)
        figure = drawn(parts_bars, table, found.score)
        totals = table.sum(axis=1)
        alt = "Parts of the score: " + "; ".join(f"{n} {v:+.3f}" for n, v in totals.items())
    show_figure(figure, key=f"parts-{way}", runs=[run], name=f"{run.name}-score-by-{way}", alt=alt)
    st.caption(sum_sentence(found))


def sum_sentence(found: Attribution) -> str:
    """That the parts add up, and to how much, with the remainder."""
    if not found.exact:
        return (
            f"The parts add up to {found.score - found.off:.3f}; {found.off:+.3f} is not explained."
        )
    return (
        f"The parts add up to the score {found.score:.3f}; the largest remainder of the three sums is "
        f"{found.off:+.1e}."
    )


def history_parts(view: ListView, found: Attribution) -> pd.DataFrame:
    """Parts by the user's own vector and train items, a column a modality."""

    def name(row: pd.Series) -> str:
        if row["part"] == OWN:
            return "the user's own vector"
        return title_of(view.dataset, int(row["item"]))

    table = _largest(found.by_history, ["part", "item"], name, "other train items")
    return _with_other(table, found)


def audience_parts(view: ListView, found: Attribution) -> pd.DataFrame:
    """Parts by the item's own vector, the users who have it, and the item graph, a column a modality."""

    def name(row: pd.Series) -> str:
        if row["part"] == OWN:
            return "the item's own vector"
        if row["part"] == ITEM_GRAPH:
            return "the item graph"
        return f"user {view.dataset.user_ids[int(row['user'])]}"

    parts = found.by_audience
    if not parts.loc[parts["part"] == ITEM_GRAPH, "value"].abs().gt(1e-9).any():
        parts = parts[parts["part"] != ITEM_GRAPH]
    table = _largest(parts, ["part", "user"], name, "other users who have it")
    return _with_other(table, found)


def _largest(
    parts: pd.DataFrame, by: list[str], name: Callable[[pd.Series], str], others: str
) -> pd.DataFrame:
    """The parts that are no train item or user, then the largest of the others, then their rest."""
    wide = parts.pivot_table(index=by, columns="modality", values="value", sort=False)
    wide = wide[list(dict.fromkeys(parts["modality"]))].fillna(0.0)
    single = wide.index.get_level_values(1) < 0
    alone, many = wide[single], wide[~single]
    order = many.sum(axis=1).abs().sort_values(ascending=False, kind="stable").index
    shown, rest = many.loc[order[:N_BARS]], many.loc[order[N_BARS:]]
    table = pd.concat([alone, shown])
    index = [name(pd.Series(key, index=by)) for key in table.index]
    table = table.set_axis(index, axis=0)
    if len(rest):
        table.loc[f"{len(rest):,} {others}"] = rest.sum()
    return table


def _with_other(table: pd.DataFrame, found: Attribution) -> pd.DataFrame:
    """``table`` with a row for columns that belong to no modality, such as an item bias."""
    if found.other:
        table = table.assign(bias=0.0)
        table.loc["bias"] = 0.0
        table.loc["bias", "bias"] = found.other
    return table
