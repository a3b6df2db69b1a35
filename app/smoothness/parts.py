"""The parts of the smoothness page below the overview: one measure, epochs, weights, all values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from app import cached, state
from app.charts.drawn import drawn
from app.shared.downloads import csv_button, show_figure
from app.shared.text import escape_markdown
from app.smoothness.tables import (
    MAIN_TEXTS,
    RECALL,
    RECALL_TEXT,
    RECALL_TITLE,
    TRUSTED,
    VIEW_NAMES,
    ChosenRun,
    View,
    in_modality,
    measured,
    of_view,
    recall_rows,
)
from rednd_core.plots.smoothness import epoch_lines, layer_lines, weight_lines
from rednd_core.runs import RunEntry
from rednd_core.smoothness import EPOCH_MEASURES, MEASURES

MEASURE = "measure"
EPOCH_MEASURE = "epoch_measure"
WEIGHT = "alignment_weight"
MOST_RUNS_BY_EPOCH = 3  # The lines of more runs look alike.


def show_measure(table: pd.DataFrame, chosen: Sequence[ChosenRun], view: View) -> None:
    """One measure in a large chart, with its definition."""
    has = set(table["measure"])
    names = [name for name in TRUSTED if name in has]
    state.drop_foreign(MEASURE, names)
    name = st.selectbox(
        "Measure", names, format_func=lambda n: MEASURES[n].title, **state.keep(MEASURE)
    )
    measure = MEASURES[name]
    shown = of_view(table, view)
    several = len(chosen) > 1
    left, right = st.columns([3, 2])
    with left:
        show_figure(
            drawn(
                layer_lines,
                shown if several else shown.drop(columns="run"),
                name,
                title=f"{measure.title} ({measure.bounds})",
            ),
            key="smoothness-measure",
            runs=[one.run for one in chosen],
            name=f"{name}-by-layer",
            alt=f"{measure.title} by layer, {' and '.join(measure.sides)}, of "
            f"{', '.join(one.label for one in chosen)}.",
        )
        if name == "discrepancy":
            st.caption(
                "Discrepancy compares x⁰ with the mean of the layers 1 to k, "
                "whichever view is chosen above."
            )
    with right:
        st.latex(measure.formula)
        st.markdown(
            f"- **Divided by:** {escape_markdown(measure.denominator)}\n"
            f"- **Range:** {escape_markdown(measure.bounds)}\n"
            f"- **Reading:** {escape_markdown(measure.reading)}\n"
            f"- **Computed:** {_computed(shown, name)}\n"
            f"- **Source:** {escape_markdown(measure.source)}"
        )


def _computed(shown: pd.DataFrame, name: str) -> str:
    rows = shown[shown["measure"] == name]
    counts = " / ".join(f"{n:,}" for n in dict.fromkeys(rows["n"]))
    if bool(rows["exact"].all()):
        return f"exact, n = {counts}"
    return f"from a sample, n = {counts}, at most ± {rows['ci'].max():.2g} (95 % interval)"


def show_epochs(chosen: Sequence[ChosenRun], view: View) -> None:
    """The measures that were recorded after every epoch."""
    name = st.selectbox(
        "Measure by epoch",
        list(EPOCH_MEASURES),
        format_func=lambda n: MEASURES[n].title,
        **state.keep(EPOCH_MEASURE),
    )
    only_readout = name == "discrepancy"
    view = "readout" if only_readout else view
    if only_readout:
        shown = "x⁰ against the mean of the layers 1 to k, whichever view is chosen above"
    else:
        shown = VIEW_NAMES[view] + (
            ", that of all layers, which scores" if view == "readout" else ""
        )
    chosen = [_recorded(one) for one in chosen]
    st.caption(
        f"Recorded after every epoch on all connected nodes (exact), each modality alone. {shown}."
    )
    if len(chosen) > MOST_RUNS_BY_EPOCH:
        names = escape_markdown(", ".join(one.label for one in chosen[:MOST_RUNS_BY_EPOCH]))
        st.info(f"This chart shows {MOST_RUNS_BY_EPOCH} runs at most: {names}.")
        chosen = chosen[:MOST_RUNS_BY_EPOCH]
    table = pd.concat([epoch_rows(one, view, name) for one in chosen], ignore_index=True)
    if table.empty:
        st.info(
            f"{MEASURES[name].title} was not recorded by epoch: the run was imported, has not finished "
            "an epoch yet, or was trained by an older version."
        )
        return
    several = len(chosen) > 1
    best = None if several else chosen[0].run.status.best_epoch
    title = MEASURES[name].title
    show_figure(
        drawn(
            epoch_lines,
            table if several else table.drop(columns="run"),
            title=title,
            best_epoch=best,
        ),
        key="smoothness-epochs",
        runs=[one.run for one in chosen],
        name=f"{name}-by-epoch",
        alt=f"{title} by epoch, one line a layer, users on the left and items on the right, of "
        f"{', '.join(one.label for one in chosen)}.",
    )


def _recorded(one: ChosenRun) -> ChosenRun:
    """The run in a modality that its journal has; the journal has no modalities side by side."""
    model = one.record.model
    if one.modality != cached.ALL or model is None:
        return one
    first = model.modalities[0]
    return replace(one, modality=first, label=f"{one.label} ({first})")


def epoch_rows(one: ChosenRun, view: View, name: str) -> pd.DataFrame:
    """A table of run, epoch, layer, side and value from columns ``smoothness.<view>.<modality>.<k>...``."""
    metrics = cached.epoch_metrics(one.run)
    prefix = f"smoothness.{view}.{one.modality}."
    parts = []
    for column in metrics.columns:
        if not (column.startswith(prefix) and column.endswith(f".{name}")):
            continue
        layer, side, _ = column.removeprefix(prefix).split(".")
        parts.append(
            pd.DataFrame(
                {
                    "run": one.label,
                    "epoch": metrics["epoch"],
                    "layer": int(layer),
                    "side": side,
                    "value": metrics[column],
                }
            )
        )
    columns = ["run", "epoch", "layer", "side", "value"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def show_weights(chosen: Sequence[ChosenRun], entries: Sequence[RunEntry], view: View) -> None:
    """Measures of the last layer by alignment weight."""
    picked = comparable(chosen, entries)
    if len({weight_of(one) for one in picked}) < 2:
        st.info(
            "This chart needs runs with different alignment weights on one data set. Train RedNⁿD on the "
            "page **Live training** with an alignment weight of 0, 0.01 and 0.1."
        )
        return
    names = escape_markdown(", ".join(one.run.name for one in picked))
    st.caption(f"Shown: {names}. Modality: {picked[0].modality}. {VIEW_NAMES[view]}.")
    picked, table = measured(picked)
    if not picked:
        return
    rows = [of_view(table, view), *(recall_rows(one, [view]) for one in picked)]
    rows += [whole_model(one) for one in picked]
    shown = pd.concat([part for part in rows if len(part)], ignore_index=True)
    weights = {one.label: weight_of(one) for one in picked}
    last = shown["layer"] == shown.groupby("run")["layer"].transform("max")
    shown = shown[last].assign(weight=shown["run"].map(weights))
    texts = [text for text in [*MAIN_TEXTS, RECALL_TEXT] if text.measure in set(shown["measure"])]
    show_figure(
        drawn(weight_lines, shown, texts, x_title="alignment weight"),
        key="smoothness-weights",
        runs=[one.run for one in picked],
        name="smoothness-by-alignment-weight",
        alt=f"Smoothness of the last layer and {RECALL_TITLE} by alignment weight, one point for "
        f"each of {len(picked)} runs, users and items apart.",
    )
    st.caption(
        "Last layer of each run. The alignment loss pulls a node's own vector x⁰ towards the mean "
        "of its layers 1 to L. See whether the layers stay diverse, and how recall changes: the recall of "
        "the last layer of this modality, and of the whole model, which scores with all its parts. "
        "Each point is one run with one seed, so small differences may be chance. Runs whose weight was "
        "moved while they trained are left out."
    )


def whole_model(one: ChosenRun) -> pd.DataFrame:
    """The recall that the model itself reached, in the columns of :func:`recall_rows`."""
    evaluation, model = one.run.evaluation(), one.record.model
    if evaluation is None or model is None or RECALL not in evaluation.valid:
        return pd.DataFrame()
    row = {
        "run": one.label,
        "layer": one.n_layers,
        "side": "whole model",
        "measure": RECALL,
        "value": evaluation.valid[RECALL],
        "ci": float("nan"),
    }
    return pd.DataFrame([row])


def comparable(chosen: Sequence[ChosenRun], entries: Sequence[RunEntry]) -> list[ChosenRun]:
    """The runs that have one alignment weight each.

    Those of ``chosen`` that have one weight, where their weights differ; otherwise all such runs on the
    first one's data, in its modality or, where they do not have it, as a whole.
    """
    picked = [one for one in chosen if weight_of(one) is not None]
    if len({weight_of(one) for one in picked}) > 1:
        return picked
    data = chosen[0].record.data
    weighted = [
        entry
        for entry in entries
        if entry.record is not None
        and entry.record.data is not None
        and entry.record.model is not None
        and data is not None
        and entry.record.data.same_pairs(data)
        and WEIGHT in entry.record.config.hyperparameters
    ]
    found = in_modality(weighted, chosen[0].modality)
    return [one for one in found if weight_of(one) is not None]


def weight_of(one: ChosenRun) -> float | None:
    """The alignment weight of the run; None if its model has none, or if it was moved in training:

    such a run belongs to no single weight.
    """
    weight = cached.alignment_weight(one.run)
    return None if weight is None or weight.moved else weight.last


def show_values(table: pd.DataFrame) -> None:
    """All values of measures that do not mislead, of both views, as a table and as CSV."""
    st.dataframe(
        table,
        hide_index=True,
        height=420,
        column_config={
            "value": st.column_config.NumberColumn("value", format="%.5g"),
            "ci": st.column_config.NumberColumn(
                "± ci", format="%.2g", help="Half-width of the 95 % interval; empty where exact"
            ),
            "n": st.column_config.NumberColumn(help="Nodes, pairs, rows or edges that entered"),
            "n_excluded": st.column_config.NumberColumn(
                help="Isolated nodes of that side that were left out"
            ),
        },
    )
    csv_button(table, "smoothness.csv", f"{len(table):,} values (CSV)", "smoothness-csv")
