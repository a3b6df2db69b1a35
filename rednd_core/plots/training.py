"""Charts of a training while it runs: one line an epoch, marks where the alignment weight changed.

They are drawn anew every second, beside the training. So each is built from plain dictionaries in one
step, which takes a tenth of the time of ``make_subplots`` and updates, and ``uirevision`` keeps the
reader's zoom.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from rednd_core.plots import theme

HEIGHT = 300  # pixels of a chart with one panel
PANEL_HEIGHT = 250  # of one panel of several
MAX_POINTS = 1000  # of a line; longer histories are thinned
ZERO_SHOWN_AT = 1e-5  # where a weight of 0 stands on the logarithmic axis
SIDES = ("users", "items")
SIDE_COLORS = {"users": theme.CATEGORICAL[0], "items": theme.CATEGORICAL[1]}

# Plotly draws a chart twice to find its margins, and measures every tick label; both are half of the
# browser's work at each refresh, and unnecessary with margins that are wide enough.
CHEAP_AXIS = {"automargin": False, "ticklabeloverflow": "allow"}

Trace = dict[str, Any]
Layout = dict[str, Any]


@dataclass(frozen=True)
class WeightChange:
    """The weight ``value`` came into force after ``epoch`` completed epochs."""

    epoch: int
    value: float


def loss_figure(
    epochs: pd.DataFrame, changes: Sequence[WeightChange] = (), *, revision: str = ""
) -> go.Figure:
    """The named losses before they are weighted, on a logarithmic axis.

    Args:
        epochs: a row an epoch, with ``epoch`` and ``losses.<name>``; a missing value is a gap.
        changes: drawn as vertical marks.
        revision: the reader's zoom is kept while this stays the same, e.g. the run's name.
    """
    traces = [
        _line(_thin(epochs), column, column.removeprefix("losses."), theme.CATEGORICAL[number])
        for number, column in enumerate(_columns(epochs, "losses."))
    ]
    axis = {"type": "log", "title": {"text": "loss, not weighted"}}
    return _over_epochs(traces, epochs, changes, revision, yaxis=axis)


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
        traces = [_line(_thin(measured), column, metric, theme.CATEGORICAL[2]), star]
    axis = {"title": {"text": f"{metric}, validation"}, "rangemode": "tozero"}
    return _over_epochs(traces, epochs, changes, revision, yaxis=axis)


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
        title: its name for people.
    """
    drawn = _thin(epochs)
    traces = []
    for side, axis in zip(SIDES, ("y", "y2"), strict=True):
        for layer, column in measure_columns(epochs, measure, modality, side).items():
            color = theme.CATEGORICAL[layer % len(theme.CATEGORICAL)]
            group = {"legendgroup": str(layer), "showlegend": side == SIDES[0], "yaxis": axis}
            traces.append(_line(drawn, column, f"layer {layer}", color) | group)
    panels = [(0.54, 1.0), (0.0, 0.46)]
    axes = [
        {"title": {"text": f"{title}, {side}"}, "rangemode": "tozero", "domain": panel}
        for side, panel in zip(SIDES, panels, strict=True)
    ]
    return _over_epochs(
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
    epochs: pd.DataFrame, changes: Sequence[WeightChange] = (), *, revision: str = ""
) -> go.Figure:
    """The alignment weight in force, as steps on a logarithmic axis that also shows 0."""
    traces = []
    if "weights.alignment" in epochs:
        drawn = _thin(epochs)
        weights = drawn["weights.alignment"].to_numpy(np.float64)
        step = {
            "y": np.maximum(weights, ZERO_SHOWN_AT),
            "customdata": weights,
            "line": {"shape": "hvh", "width": 3, "color": theme.CATEGORICAL[0]},
            "hovertemplate": "%{customdata:g}",
        }
        traces = [_line(drawn, "weights.alignment", "weight", "") | step]
    ticks = [ZERO_SHOWN_AT, *(10.0**power for power in range(-4, 2))]
    axis = {
        "type": "log",
        "title": {"text": "alignment weight"},
        "tickvals": ticks,
        "ticktext": ["0", *(f"{tick:g}" for tick in ticks[1:])],
        "range": [math.log10(ZERO_SHOWN_AT) - 0.3, 1.1],
    }
    labels = [
        {
            "x": _mark_at(change),
            "y": 1,
            "yref": "paper",
            "yanchor": "top",
            "xanchor": "left",
            "xshift": 3,
            "text": f"{change.value:g}",
            "showarrow": False,
            "font": {"color": theme.ACCENT, "size": theme.TICK_SIZE},
        }
        for change in changes
    ]
    return _over_epochs(
        traces,
        epochs,
        changes,
        revision,
        yaxis=axis,
        showlegend=False,
        annotations=labels,
    )


def layers_figure(
    coords: NDArray[np.float32],
    n_users: int,
    titles: Sequence[str],
    half_range: float,
    *,
    columns: int = 2,
    revision: str = "",
) -> go.Figure:
    """A panel a layer, users and items in their colours, all on the same fixed axes.

    Args:
        coords: (n_layers, n, 2), users first.
        n_users: how many of the n points are users.
        titles: (n_layers,) headings of one or two lines.
        half_range: the axes run from minus to plus this.
    """
    columns = min(columns, len(coords))
    rows = math.ceil(len(coords) / columns)
    heading, gap = 0.22 / rows, 0.04  # shares of the height and of the width
    traces: list[Trace] = []
    axes: Layout = {}
    headings, frames = [], []
    for number, points in enumerate(coords):
        row, column = divmod(number, columns)
        suffix = str(number + 1) if number else ""
        left, top = column / columns, 1 - row / rows
        right = left + 1 / columns - gap
        frame = {"range": [-half_range, half_range], "visible": False, "constrain": "domain"}
        axes[f"xaxis{suffix}"] = {**frame, "domain": [left, right], "anchor": f"y{suffix}"}
        axes[f"yaxis{suffix}"] = {
            **frame,
            "domain": [top - 1 / rows, top - heading],
            "anchor": f"x{suffix}",
            "scaleanchor": f"x{suffix}",
        }
        frames.append(
            {
                "type": "rect",
                "xref": f"x{suffix} domain",
                "yref": f"y{suffix} domain",
                "x0": 0,
                "x1": 1,
                "y0": 0,
                "y1": 1,
                "line": {"color": theme.INK, "width": 1},
            }
        )
        headings.append(
            {
                "text": titles[number],
                "x": (left + right) / 2,
                "y": top - heading,
                "xref": "paper",
                "yref": "paper",
                "xanchor": "center",
                "yanchor": "bottom",
                "showarrow": False,
                "font": {"size": theme.TICK_SIZE},
            }
        )
        for side, part in zip(SIDES, (points[:n_users], points[n_users:]), strict=True):
            traces.append(
                {
                    "type": "scatter",
                    "x": part[:, 0],
                    "y": part[:, 1],
                    "xaxis": f"x{suffix}",
                    "yaxis": f"y{suffix}",
                    "mode": "markers",
                    "name": side,
                    "legendgroup": side,
                    "showlegend": number == 0,
                    "marker": {"size": 5, "opacity": 0.7, "color": SIDE_COLORS[side]},
                    "hoverinfo": "skip",
                }
            )
    layout: Layout = {
        "template": theme.template(),
        "height": PANEL_HEIGHT * rows + 60,
        "annotations": headings,
        "shapes": frames,
        "legend": {"orientation": "h", "y": 1, "yanchor": "top", "yref": "container"},
        "margin": {"l": 8, "r": 8, "t": 40, "b": 8},
        # A wider range is a new picture: a zoom into the old one would hide points.
        "uirevision": f"{revision}:{half_range:.3g}",
    }
    return go.Figure(data=traces, layout=layout | axes)


def _columns(epochs: pd.DataFrame, prefix: str) -> list[str]:
    return [str(column) for column in epochs.columns if str(column).startswith(prefix)]


def _step(epochs: pd.DataFrame) -> int:
    """Every how many-th epoch is drawn."""
    return max(1, math.ceil(len(epochs) / MAX_POINTS))


def _thin(epochs: pd.DataFrame) -> pd.DataFrame:
    """At most MAX_POINTS epochs, evenly spaced, the last one among them."""
    step = _step(epochs)
    return epochs.iloc[(len(epochs) - 1) % step :: step] if step > 1 else epochs


def _line(epochs: pd.DataFrame, column: str, name: str, color: str) -> Trace:
    return {
        "type": "scatter",
        "x": epochs["epoch"].to_numpy(np.int32),
        "y": epochs[column].to_numpy(np.float32),
        "mode": "lines+markers" if len(epochs) < 3 else "lines",  # one epoch makes no line
        "name": name,
        "line": {"color": color, "width": 2},
        "hovertemplate": "%{y:.4g}",
    }


def _mark_at(change: WeightChange) -> float:
    """Between the last epoch without the change and the first one with it."""
    return change.epoch + 0.5


def _over_epochs(
    traces: list[Trace],
    epochs: pd.DataFrame,
    changes: Sequence[WeightChange],
    revision: str,
    **layout: Any,
) -> go.Figure:
    """A figure over epochs, with what all of them share."""
    marks = [
        {
            "type": "line",
            "xref": "x",
            "yref": "paper",
            "x0": _mark_at(change),
            "x1": _mark_at(change),
            "y0": 0,
            "y1": 1,
            "line": {"color": theme.ACCENT, "width": 1.5, "dash": "dot"},
        }
        for change in changes
    ]
    step = _step(epochs)
    axis_title = "epoch" if step == 1 else f"epoch (1 of {step} is drawn)"
    waiting = {
        "text": "The first epoch is on its way …",
        "xref": "paper",
        "yref": "paper",
        "x": 0.5,
        "y": 0.5,
        "showarrow": False,
    }
    shared: Layout = {
        "template": theme.template(),
        "height": HEIGHT,
        "shapes": marks,
        "legend": {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "xanchor": "left"},
        "hovermode": "x unified",
        "margin": {"l": 76, "r": 16, "t": 48, "b": 56},
        "uirevision": revision,
    }
    layout["xaxis"] = {"title": {"text": axis_title}} | layout.get("xaxis", {})
    for name in layout:
        if name.startswith(("xaxis", "yaxis")):
            layout[name] = CHEAP_AXIS | layout[name]
    layout["annotations"] = [*layout.get("annotations", ()), *([] if len(epochs) else [waiting])]
    return go.Figure(data=traces, layout=shared | layout)
