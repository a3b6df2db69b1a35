"""The charts of a training: values by epoch, and a map of the layers."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from app import cached, state
from app.charts.drawn import drawn
from app.charts.live_charts import WHOLE_ROW, LiveChart, live_charts
from app.shared.downloads import figure_downloads, of_runs
from rednd_core import wording
from rednd_core.errors import RedndError, RunError
from rednd_core.modeling.registry import CARDS
from rednd_core.plots.epochs import WeightChange
from rednd_core.plots.live_layers import layers_figure
from rednd_core.plots.training import (
    SIDES,
    loss_figure,
    measure_columns,
    measure_figure,
    validation_figure,
    weight_figure,
)
from rednd_core.projection import LiveMap, live_map, sample_nodes
from rednd_core.runs import History, LayerIndex, Run, RunRecord
from rednd_core.smoothness import EPOCH_MEASURES, MEASURES

COUNTED_PAIRS = (
    1_000_000  # Larger data sets are not read just to count the users of the validation.
)
POINTS = 300  # nodes on the map of a layer: few, because the map is drawn again every second


def choose_layers(
    record: RunRecord, left: DeltaGenerator, right: DeltaGenerator
) -> tuple[str, str | None]:
    """The measure and the modality to draw; the modality is None before the model is built."""
    modality = None
    with left:
        measure = st.selectbox(
            "Measure",
            EPOCH_MEASURES,
            format_func=lambda key: MEASURES[key].title,
            key="training.measure",
            persist_state="session",
        )
    if record.model is not None:
        state.drop_foreign(state.MODALITY, record.model.modalities)
        with right:
            modality = st.selectbox(
                "Modality", record.model.modalities, **state.keep(state.MODALITY)
            )
    return measure, modality


def validated_users(run: Run, record: RunRecord) -> int | None:
    """Number of users in the mean of the validation; None if it is not known yet."""
    try:
        if evaluation := run.evaluation():
            return evaluation.n_users["valid"]
        if record.data is None or record.data.n_train > COUNTED_PAIRS:
            return None
        return cached.n_evaluable(cached.run_dataset(run), "valid")
    except RedndError:  # The data have changed, for example; the training goes on.
        return None


def charts(
    run: Run,
    record: RunRecord,
    history: History,
    measure: str,
    modality: str | None,
    n_validated: int | None,
) -> list[LiveChart]:
    """The charts in their order: smoothness and layers, which a weight acts on, then losses and the rest."""
    card = CARDS.get(record.config.model)
    changes = weight_changes(history, *(card.live if card else ()))
    by_epoch = _epoch_charts(run, record, history, changes, n_validated)
    if modality is None:
        return by_epoch
    return [
        _smoothness(run, history, measure, modality, changes),
        *_layers(run, record, history, modality),
        *by_epoch,
    ]


def show_charts(run: Run, shown: list[LiveChart], *, side_by_side: bool = False) -> None:
    """Send the charts of :func:`charts` to the browser.

    Args:
        side_by_side: two runs share the width, so that each chart has a row of its own.
    """
    shown = [replace(chart, about=of_runs(run)) for chart in shown]
    if side_by_side:
        shown = [replace(chart, span=WHOLE_ROW) for chart in shown]
        live_charts(shown, key=f"training.charts.{run.name}")
        return
    live_charts(shown, key="training.charts")
    if (
        not run.status.is_live
    ):  # The charts of a running training change before a file of them is saved.
        _downloads(shown)


def weight_changes(history: History, *losses: str) -> list[WeightChange]:
    """The applied changes of the weights of ``losses``."""
    return [
        WeightChange(int(event["epoch"]), float(event["value"]))
        for event in history.events
        if event["event"] == "set_weight" and event["loss"] in losses
    ]


def _drawn_weights(record: RunRecord, history: History) -> list[str]:
    """The losses whose weights have a chart: the most interesting one, and those that were moved."""
    card = CARDS.get(record.config.model)
    known = [loss for loss in (card.live if card else ()) if f"weights.{loss}" in history.epochs]
    return [loss for loss in known if loss == known[0] or weight_changes(history, loss)]


def _downloads(shown: list[LiveChart]) -> None:
    closed = st.expander(
        "Download the charts", key="training.files", on_change="rerun", icon=":material/download:"
    )
    if closed.open:
        with closed:
            for chart in shown:
                st.text(chart.alt)
                figure_downloads(chart, f"training.{chart.key}")


def _epoch_charts(
    run: Run,
    record: RunRecord,
    history: History,
    changes: list[WeightChange],
    n_validated: int | None,
) -> list[LiveChart]:
    metric, best = record.config.training.select_by, run.status.best_epoch
    over = f", mean over {n_validated:,} users" if n_validated else ""
    found = [
        LiveChart(
            "losses",
            drawn(loss_figure, history.epochs, changes, revision=run.name),
            alt="Each loss of the model, before weighting, by epoch",
            name=f"{run.name}-losses",
            span=2,
        ),
        LiveChart(
            "validation",
            drawn(validation_figure, history.epochs, metric, best, changes, revision=run.name),
            alt=f"{metric} on validation by epoch, the best epoch marked",
            name=f"{run.name}-validation",
            span=2,
            caption=f"Validation {metric}{over}. The star marks the best epoch, whose parameters are kept.",
        ),
    ]
    for loss in _drawn_weights(record, history):
        own = weight_changes(history, loss)
        weight = drawn(weight_figure, history.epochs, loss, own, revision=run.name)
        alt = f"Weight of the loss {loss} by epoch, its changes marked"
        name = f"{run.name}-weight-{loss}"
        found.append(LiveChart(f"weight-{loss}", weight, alt=alt, name=name, span=2))
    return found


def _smoothness(
    run: Run, history: History, measure: str, modality: str, changes: list[WeightChange]
) -> LiveChart:
    of = MEASURES[measure]
    return LiveChart(
        "smoothness",
        drawn(
            measure_figure, history.epochs, measure, of.title, modality, changes, revision=run.name
        ),
        alt=f"{of.title} of every layer by epoch, users above, items below",
        name=f"{run.name}-{measure}-{modality}",
        span=3,
        caption=f"{of.title}, over all nodes with an edge. {of.reading}.",
    )


def _layers(run: Run, record: RunRecord, history: History, modality: str) -> list[LiveChart]:
    try:
        index = run.layers()
    except RunError:  # The run is queued, or its model is being built.
        return []
    n_users, n_items = len(index.user_emb), len(index.item_emb)
    nodes = sample_nodes(n_users, n_items, POINTS).nodes
    frame = _next_frame(run, record, modality, index, nodes)
    figure = drawn(
        layers_figure,
        frame.coords,
        int((nodes < n_users).sum()),
        _titles(history, modality, index),
        frame.half_range,
        revision=f"{run.name}:{modality}",
    )
    return [
        LiveChart(
            "layers",
            figure,
            alt=f"Map of the {modality} layers, users and items in two colours",
            name=f"{run.name}-layers-{modality}",
            span=3,
            caption=f"Layers after epoch {index.epoch}: {len(nodes):,} of {n_users + n_items:,} "
            "nodes are drawn. MAD: of all users / all items with an edge. All layers share two axes, "
            "the directions in which these points differ most (PCA, "
            f"{frame.explained:.0%} of their variance). After each epoch the axes are computed again "
            "and turned to match the last picture. The scale never zooms in: points that come "
            f"together become alike.{_left_out(index, modality)}",
        )
    ]


def _next_frame(
    run: Run, record: RunRecord, modality: str, index: LayerIndex, nodes: NDArray[np.int64]
) -> LiveMap:
    """The map of the layers as they were last written, turned like the map that was shown before."""
    shown = _shown(str(run.path), record.provenance.created.isoformat(), modality)
    version, frame = shown.last
    if version != index.version or frame is None:
        rows = np.stack([index[modality][k][nodes] for k in index.facts.like_last(modality)])
        frame = live_map(rows, frame)
        shown.last = (index.version, frame)
    return frame


@dataclass
class _Shown:
    last: tuple[str | None, LiveMap | None] = (None, None)


@st.cache_resource(max_entries=32, show_spinner=False)
def _shown(path: str, created: str, modality: str) -> _Shown:
    """The last map of a run, for all windows: without it a page that is loaded again could mirror the map."""
    return _Shown()


def _left_out(index: LayerIndex, modality: str) -> str:
    """A sentence about the layers that are not on the map, after a space; empty if all are on it."""
    shown = index.facts.like_last(modality)
    others = [str(k) for k in range(len(index[modality])) if k not in shown]
    if not others:
        return ""
    return f" Not on the map: layer {', '.join(others)}, which has another width and so no axes in common."


def _titles(history: History, modality: str, index: LayerIndex) -> list[str]:
    """A heading for each layer, with its MAD in the same epoch if that is known."""
    rows = history.epochs
    now = rows[rows["epoch"] == index.epoch] if "epoch" in rows else rows
    titles = []
    for layer in index.facts.like_last(modality):
        title = f"layer {layer}"
        columns = [measure_columns(rows, "mad", modality, side).get(layer) for side in SIDES]
        if len(now) and all(columns):
            mads = [now[column].iloc[-1] for column in columns]
            known = map(wording.measure, mads)
            title += f"\nMAD {' / '.join(known)}"
        titles.append(title)
    return titles
