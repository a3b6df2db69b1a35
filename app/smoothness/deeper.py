"""Go deeper: 32 layers of propagation from the embeddings of a model with a few layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from app import cached, state
from app.charts.drawn import drawn
from app.shared.context import choose_depth
from app.shared.downloads import show_figure
from app.shared.readouts import readout_rule
from app.smoothness.tables import (
    MAIN_TEXTS,
    RECALL_TEXT,
    RECALL_TITLE,
    ChosenRun,
    View,
    of_view,
    peak,
    recall_rows,
    value,
    with_run,
)
from rednd_core import wording
from rednd_core.plots.smoothness import measure_panels
from rednd_core.smoothness import MAX_DEPTH

TO_DEPTH = "to_depth"
DEEP_RUN = "deep_run"
DEFAULT_DEPTH = 16
STEPS = (8, 16, MAX_DEPTH)
TILE: dict[str, Any] = {"border": True, "delta_color": "off", "delta_arrow": "off"}


def show_deeper(chosen: Sequence[ChosenRun], view: View) -> None:
    """The linear runs among ``chosen``, one at a time, propagated on to a depth of the reader's choice.

    The tiles have the measures at the depth that all pages show.
    """
    linear = {
        one.label: one
        for one in chosen
        if one.record.model is not None and one.record.model.linear_propagation
    }
    if not linear:
        st.info(
            "Only models with linear propagation can be propagated further without another training. "
            "Choose a LightGCN or RedNⁿD run above."
        )
        return
    st.markdown(
        "Multiply the trained x⁰ by the normalised adjacency again and again: "
        "nothing is learned, only the averaging goes on. **When do users and items collapse, and when "
        "do the recommendations suffer?**"
    )
    left, right = st.columns([2, 3])
    label = left.selectbox("Run to propagate", list(linear), **state.keep(DEEP_RUN))
    depth = int(
        right.slider(
            "Propagate to", 1, MAX_DEPTH, DEFAULT_DEPTH, format="%d layers", **state.keep(TO_DEPTH)
        )
    )
    one = linear[label]
    table, recall = _deep_tables(one, depth)
    _show_numbers(table, recall, choose_depth(one.run, depth + 1, default=depth))
    shown = pd.concat([of_view(table, view), recall], ignore_index=True)
    figure = drawn(
        measure_panels,
        shown.drop(columns="run"),
        [*MAIN_TEXTS, *([RECALL_TEXT] if len(recall) else [])],
        trained_depth=one.n_layers,
    )
    show_figure(
        figure,
        key="smoothness-deep",
        runs=[one.run],
        name=f"{one.run.name}-depth-{depth}",
        alt=f"Smoothness measures of {label} at depth 0 to {depth}, users and items as lines, with "
        f"{RECALL_TITLE} at each depth. {_summary(table, recall, depth)}",
    )
    st.caption(_recall_note(one, recall))


def _deep_tables(one: ChosenRun, depth: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Smoothness and recall at depth 0..depth. The table of a larger depth is cut."""
    computed = min(step for step in STEPS if step >= depth)
    measures = [text.measure for text in MAIN_TEXTS]
    table = with_run(cached.smoothness(one.run, measures, computed, one.modality), one.label)
    table = table[table["layer"] <= depth]
    recall = recall_rows(one, ("layer", "readout", "popularity"), computed)
    return table, recall[recall["layer"] <= depth] if len(recall) else recall


def _show_numbers(table: pd.DataFrame, recall: pd.DataFrame, depth: int) -> None:
    columns = st.columns(4)
    tiles = (
        ("MAD", "mad", "users"),
        ("MAD", "mad", "items"),
        ("Eff. rank", "effective_rank", "users"),
    )
    for column, (title, name, side) in zip(columns, tiles, strict=False):
        start, end = (wording.measure(value(table, name, side, k)) for k in (0, depth))
        column.metric(f"{title} {side}, k = {depth}", end, f"{start} at k = 0", **TILE)
    if len(recall):
        output = recall[recall["view"] == "layer"].set_index("layer")["value"]
        best = peak(output)
        note = f"peak {wording.metric(output[best])} at k = {best}"
        columns[3].metric(
            f"{RECALL_TITLE}, k = {depth}", wording.metric(output[depth]), note, **TILE
        )


def _summary(table: pd.DataFrame, recall: pd.DataFrame, depth: int) -> str:
    mads = " and ".join(
        f"{wording.measure(value(table, 'mad', side, depth))} for {side}"
        for side in ("users", "items")
    )
    text = f"At depth {depth} MAD is {mads}."
    if len(recall):
        output = recall[recall["view"] == "layer"].set_index("layer")["value"]
        text += f" {RECALL_TITLE} of the layer output peaks at k = {peak(output)}."
    return text


def _recall_note(one: ChosenRun, recall: pd.DataFrame) -> str:
    if recall.empty:
        return "This data set has no validation pair, so there is no recall to show."
    popularity = float(recall.loc[recall["view"] == "popularity", "value"].iloc[0])
    note = (
        f"{RECALL_TITLE}: inner product of the user and item rows of one depth, full ranking, "
        f"validation, {int(recall['n'].iloc[0]):,} users. Once all users point one way, the scores "
        f"can only tell popular items from rare ones: ranking by popularity alone gives "
        f"{wording.metric(popularity)} (dotted line)."
    )
    facts = one.record.model
    if facts is None:
        return note
    note += f" The readout at depth k is {readout_rule(facts)}"
    if facts.readout_widths is not None:
        note += ", without what the trained model adds to it before it scores"
    note += "."
    if len(facts.modalities) > 1 and one.modality != cached.ALL:
        note += (
            f" This is the {one.modality} part alone; the trained model scores with all modalities."
        )
    return note
