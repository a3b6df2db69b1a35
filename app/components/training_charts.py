"""The charts of a training: what changes from epoch to epoch, and the layers as they lie now."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from app import state
from app.components.downloads import figure_downloads
from app.components.live_figure import live_figure
from rednd_core.errors import RunError
from rednd_core.plots.training import (
    SIDES,
    WeightChange,
    layers_figure,
    loss_figure,
    measure_columns,
    measure_figure,
    validation_figure,
    weight_figure,
)
from rednd_core.projection import LiveMap, live_map, sample_nodes
from rednd_core.runs import History, LayerIndex, Run, RunRecord
from rednd_core.smoothness import EPOCH_MEASURES, MEASURES

POINTS = 300  # of each layer on the map: every second anew must stay cheap for browser and trainer


def choose_layers(record: RunRecord) -> tuple[str, str | None]:
    """Measure and modality to draw; no modality before the model is built."""
    modality = None
    left, right = st.columns(2)
    with left:
        measure = st.selectbox(
            "Measure",
            EPOCH_MEASURES,
            format_func=lambda key: MEASURES[key].title,
            key="training.measure",
            persist_state="session",
        )
    if record.model is not None:
        with right:
            modality = st.selectbox(
                "Modality", record.model.modalities, **state.keep(state.MODALITY)
            )
    return measure, modality


def charts(
    run: Run, record: RunRecord, history: History, measure: str, modality: str | None
) -> None:
    """Smoothness and layers first, as they are what the weight acts on; then losses and the rest."""
    changes = weight_changes(history)
    if modality is not None:
        left, right = st.columns(2)
        with left:
            _smoothness(run, history, measure, modality, changes)
        with right:
            _layers(run, record, history, modality)
    first, second, third = st.columns(3)
    with first:
        _show(
            run,
            loss_figure(history.epochs, changes, revision=run.name),
            key="training.losses",
            alt="Each loss of the model, before weighting, by epoch",
            name=f"{run.name}-losses",
        )
    metric, best = record.config.training.select_by, run.status.best_epoch
    with second:
        _show(
            run,
            validation_figure(history.epochs, metric, best, changes, revision=run.name),
            key="training.validation",
            alt=f"{metric} on validation by epoch, the best epoch marked",
            name=f"{run.name}-validation",
        )
    if "weights.alignment" in history.epochs:
        with third:
            _show(
                run,
                weight_figure(history.epochs, changes, revision=run.name),
                key="training.weight",
                alt="Alignment weight by epoch, its changes marked",
                name=f"{run.name}-weight",
            )


def _show(run: Run, figure: go.Figure, *, key: str, alt: str, name: str) -> None:
    live_figure(figure, key=key, alt=alt, name=name)
    if not run.status.is_live:  # a file of what has changed by the time it is saved helps nobody
        figure_downloads(figure, name, key)


def weight_changes(history: History) -> list[WeightChange]:
    """The applied changes of the alignment weight."""
    return [
        WeightChange(int(event["epoch"]), float(event["value"]))
        for event in history.events
        if event["event"] == "set_weight" and event["loss"] == "alignment"
    ]


def _smoothness(
    run: Run, history: History, measure: str, modality: str, changes: list[WeightChange]
) -> None:
    of = MEASURES[measure]
    figure = measure_figure(history.epochs, measure, of.title, modality, changes, revision=run.name)
    _show(
        run,
        figure,
        key="training.measure_figure",
        alt=f"{of.title} of every layer by epoch, users above, items below",
        name=f"{run.name}-{measure}-{modality}",
    )
    st.caption(f"{of.title}, over all nodes with an edge. {of.reading}.")


def _layers(run: Run, record: RunRecord, history: History, modality: str) -> None:
    try:
        index = run.layers()
    except RunError:
        st.info("The picture of the layers comes as soon as the model is built.")
        return
    n_users, n_items = len(index.user_emb), len(index.item_emb)
    nodes = sample_nodes(n_users, n_items, POINTS).nodes
    frame = _next_frame(run, record, modality, index, nodes)
    _show(
        run,
        layers_figure(
            frame.coords,
            int((nodes < n_users).sum()),
            _titles(history, modality, index),
            frame.half_range,
            revision=f"{run.name}:{modality}",
        ),
        key="training.layers",
        alt=f"Map of the {modality} layers, users and items in two colours",
        name=f"{run.name}-layers-{modality}",
    )
    st.caption(
        f"Layers after epoch **{index.epoch}** · {len(nodes):,} of {n_users + n_items:,} nodes · "
        f"PCA of all layers together, {frame.explained:.0%} of their variance. Each picture has its "
        "own two leading directions, turned to match the one before, and the scale never zooms in: "
        "points that draw together are points that become alike."
    )


def _next_frame(
    run: Run, record: RunRecord, modality: str, index: LayerIndex, nodes: np.ndarray
) -> LiveMap:
    """The map of the layers as last written, oriented like the one that this tab showed before."""
    key = f"training.frame.{run.name}.{record.provenance.created.isoformat()}.{modality}"
    version, frame = st.session_state.get(key, (None, None))
    if version != index.version or frame is None:
        rows = np.stack([layer[nodes] for layer in index[modality]])  # (L + 1, n, d)
        frame = live_map(rows, frame)
        st.session_state[key] = (index.version, frame)
    return frame


def _titles(history: History, modality: str, index: LayerIndex) -> list[str]:
    """Each layer with its MAD in the same epoch, where that is known."""
    rows = history.epochs
    now = rows[rows["epoch"] == index.epoch] if "epoch" in rows else rows
    titles = []
    for layer in range(len(index[modality])):
        title = f"<b>layer {layer}</b>"
        columns = [measure_columns(rows, "mad", modality, side).get(layer) for side in SIDES]
        if len(now) and all(columns):
            users, items = (now[column].iloc[-1] for column in columns)
            title += f"<br>MAD users {users:.2f}, items {items:.2f}"
        titles.append(title)
    return titles
