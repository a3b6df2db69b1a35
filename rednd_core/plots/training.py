"""Charts of a training while it runs: losses, validation, a smoothness measure, the weight."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from rednd_core.plots import theme
from rednd_core.plots.epochs import MARGIN, WeightChange, epoch_line, mark_at, over_epochs, thin
from rednd_core.plots.grid import Part
from rednd_core.plots.smoothness import DASHES, SYMBOLS
from rednd_core.plots.text import literal
from rednd_core.plots.ticks import log_axis

PANEL_HEIGHT = 250  # pixels of one panel of two
ZERO_SHOWN_AT = 1e-5  # where a weight of 0 stands on the logarithmic axis
SIDES = ("users", "items")
# Labels of weight changes; their widths are shares of the axis, about 180 pixels on a laptop.
LABEL_CHARACTER = 0.044
LABEL_GAP = 0.04
LABEL_ROWS = 3
LABEL_MARGIN = 52  # pixels, for the label of a change in the last epoch


def loss_figure(
    epochs: pd.DataFrame, changes: Sequence[WeightChange] = (), *, revision: str = ""
) -> go.Figure:
    """The named losses before they are weighted, on a logarithmic axis.

    Args:
        epochs: a row an epoch, with ``epoch`` and ``losses.<name>``; a missing value is a gap.
        changes: drawn as vertical marks.
        revision: the reader's zoom is kept while this stays the same, e.g. the run's name.
    """
    columns, drawn = _columns(epochs, "losses."), thin(epochs)
    traces = [
        epoch_line(
            drawn,
            column,
            column.removeprefix("losses.").replace("_", " "),
            theme.PLAIN[number % len(theme.PLAIN)],
            dash=DASHES[number % len(DASHES)],
        )
        for number, column in enumerate(columns)
    ]
    axis = {"title": {"text": "loss, not weighted"}} | log_axis(drawn[columns].to_numpy())
    return over_epochs(traces, epochs, changes, revision, yaxis=axis)


def validation_figure(
    epochs: pd.DataFrame,
    metric: str,
    best_epoch: int | None,
    changes: Sequence[WeightChange] = (),
    *,
    revision: str = "",
) -> go.Figure:
    """A validation metric an epoch; a star marks the epoch whose parameters are kept."""
    column = f"valid.{metric}"
    measured = epochs.dropna(subset=[column]) if column in epochs else epochs.iloc[:0]
    traces = []
    if len(measured):
        best = measured[measured["epoch"] == best_epoch]
        star = {
            "type": "scatter",
            "x": best["epoch"].to_numpy(np.int32),
            "y": best[column].to_numpy(np.float32),
            "mode": "markers",
            "name": "best",
            "marker": {"symbol": "star", "size": 16, "color": theme.ACCENT},
            "hovertemplate": "%{y:.4f}",
        }
        traces = [epoch_line(thin(measured), column, metric, theme.PLAIN[0]), star]
    axis = {"title": {"text": f"{literal(metric)}, validation"}, "rangemode": "tozero"}
    return over_epochs(traces, epochs, changes, revision, yaxis=axis)


def measure_figure(
    epochs: pd.DataFrame,
    measure: str,
    title: str,
    modality: str,
    changes: Sequence[WeightChange] = (),
    *,
    revision: str = "",
) -> go.Figure:
    """A smoothness measure an epoch: a line a layer, users above, items below.

    Args:
        measure: its key, as in ``smoothness.<view>.<modality>.<layer>.<side>.<measure>``.
        title: its name on screen.
    """
    drawn = thin(epochs)
    traces = []
    for side, axis in zip(SIDES, ("y", "y2"), strict=True):
        columns = measure_columns(epochs, measure, modality, side)
        colors = theme.layer_colors(max(columns, default=0) + 1)
        for layer, column in columns.items():
            group = {"legendgroup": str(layer), "showlegend": side == SIDES[0], "yaxis": axis}
            symbol = SYMBOLS[layer % len(SYMBOLS)]
            line = epoch_line(drawn, column, f"layer {layer}", colors[layer], symbol=symbol)
            traces.append(line | group)
    panels = [(0.54, 1.0), (0.0, 0.46)]
    axes = [
        {"title": {"text": f"{literal(title)}, {side}"}, "rangemode": "tozero", "domain": panel}
        for side, panel in zip(SIDES, panels, strict=True)
    ]
    return over_epochs(
        traces,
        epochs,
        changes,
        f"{revision}:{measure}",
        height=2 * PANEL_HEIGHT + 60,
        xaxis={"anchor": "y2"},
        yaxis=axes[0],
        yaxis2=axes[1],
    )


def measure_columns(epochs: pd.DataFrame, measure: str, modality: str, side: str) -> dict[int, str]:
    """Layer -> column of one measure, in the order of the layers."""
    found = {}
    for column in _columns(epochs, "smoothness."):
        _, _, of_modality, layer, of_side, name = column.split(".")
        if (of_modality, of_side, name) == (modality, side, measure):
            found[int(layer)] = column
    return dict(sorted(found.items()))


def weight_figure(
    epochs: pd.DataFrame,
    loss: str,
    changes: Sequence[WeightChange] = (),
    *,
    revision: str = "",
) -> go.Figure:
    """The weight of a loss that is in force, as steps on a logarithmic axis that also shows 0.

    Args:
        epochs: a row an epoch, with ``epoch`` and ``weights.<loss>``.
        changes: of this weight.
    """
    column, traces = f"weights.{loss}", []
    if column in epochs:
        drawn = thin(epochs)
        weights = drawn[column].to_numpy(np.float64)
        step = {
            "y": np.maximum(weights, ZERO_SHOWN_AT),
            "customdata": weights,
            "line": {"shape": "hvh", "width": 3, "color": theme.ACCENT},  # as its changes
            "hovertemplate": "%{customdata:g}",
        }
        traces = [epoch_line(drawn, column, "weight", "") | step]
    ticks = [ZERO_SHOWN_AT, *(10.0**power for power in range(-4, 2))]
    axis = {
        "type": "log",
        "title": {"text": f"weight of {loss.replace('_', ' ')}"},
        "tickvals": ticks,
        "ticktext": ["0", *(f"{tick:g}" for tick in ticks[1:])],
        "range": [math.log10(ZERO_SHOWN_AT) - 0.3, 1.1],
    }
    return over_epochs(
        traces,
        epochs,
        changes,
        revision,
        yaxis=axis,
        showlegend=False,
        margin=MARGIN | {"r": LABEL_MARGIN},
        annotations=_labels(epochs, changes) if traces else [],
    )


def _labels(epochs: pd.DataFrame, changes: Sequence[WeightChange]) -> list[Part]:
    """The new weight right of each mark, on rows below each other where marks are close.

    Where the rows do not suffice the latest are labelled, the weight in force among them.
    """
    first = float(epochs["epoch"].iloc[0])
    last = max([float(epochs["epoch"].iloc[-1]), *map(mark_at, changes)])
    free_up_to = [math.inf] * LABEL_ROWS
    labels: list[Part] = []
    for change in reversed(changes):
        text = f"{change.value:g}"
        start = (mark_at(change) - first) / (last - first or 1.0)
        end = start + LABEL_GAP + LABEL_CHARACTER * len(text)
        row = next((row for row, limit in enumerate(free_up_to) if end <= limit), None)
        if row is None:
            continue
        free_up_to[row] = start
        labels.append(
            {
                "x": mark_at(change),
                "y": 1,
                "yref": "paper",
                "yanchor": "top",
                "yshift": -row * (theme.TICK_SIZE + 2),
                "xanchor": "left",
                "xshift": 3,
                "text": text,
                "showarrow": False,
                "font": {"size": theme.TICK_SIZE},
            }
        )
    return labels


def _columns(epochs: pd.DataFrame, prefix: str) -> list[str]:
    return [str(column) for column in epochs.columns if str(column).startswith(prefix)]
