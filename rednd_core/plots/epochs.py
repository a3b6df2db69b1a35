"""What all charts over epochs share: thinned lines, and marks where the alignment weight changed.

They are drawn anew every second, beside the training: so ``uirevision`` keeps the reader's zoom.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from rednd_core.plots import theme
from rednd_core.plots.grid import Part
from rednd_core.plots.text import literal

HEIGHT = 300  # pixels of a chart with one panel
MARGIN = {"l": 76, "r": 16, "t": 48, "b": 56}
MAX_POINTS = 1000  # of a line; longer histories are thinned
MARKERS = 8  # of a line, evenly spread
FEW_EPOCHS = 6  # up to so many Plotly would also mark halves, and there is no epoch 1.5

# Plotly draws a chart twice to find its margins, and measures every tick label; both are half of the
# browser's work at each refresh, and unnecessary with margins that are wide enough.
CHEAP_AXIS = {
    "automargin": False,
    "ticklabeloverflow": "allow",
    "ticklabelstandoff": 4,  # the first labels of both axes meet in the corner
}


@dataclass(frozen=True)
class WeightChange:
    """The weight ``value`` came into force after ``epoch`` completed epochs."""

    epoch: int
    value: float


def _step(epochs: pd.DataFrame) -> int:
    """Every how many-th epoch is drawn."""
    return max(1, math.ceil(len(epochs) / MAX_POINTS))


def thin(epochs: pd.DataFrame) -> pd.DataFrame:
    """At most MAX_POINTS epochs, evenly spaced, the last one among them."""
    step = _step(epochs)
    return epochs.iloc[(len(epochs) - 1) % step :: step] if step > 1 else epochs


def epoch_line(
    epochs: pd.DataFrame,
    column: str,
    name: str,
    color: str,
    *,
    dash: str = "solid",
    symbol: str | None = None,
) -> Part:
    """A line; with a ``symbol`` it has a few markers, by which it is told apart without colour."""
    shown = literal(name)
    marked = symbol is not None or len(epochs) < 3  # one epoch makes no line
    return {
        "type": "scatter",
        "x": epochs["epoch"].to_numpy(np.int32),
        "y": epochs[column].to_numpy(np.float32),
        "mode": "lines+markers" if marked else "lines",
        "name": shown,
        "line": {"color": color, "width": 2, "dash": dash},
        "marker": {"symbol": symbol, "size": 8, "maxdisplayed": MARKERS},
        "hovertemplate": "%{y:.4g}",
    }


def mark_at(change: WeightChange) -> float:
    """Between the last epoch without the change and the first one with it."""
    return change.epoch + 0.5


def over_epochs(
    traces: list[Part],
    epochs: pd.DataFrame,
    changes: Sequence[WeightChange],
    revision: str,
    **layout: Any,
) -> go.Figure:
    """A figure over epochs, with what all of them share.

    Without a trace it has no axes, whose range would be invented: it says what it waits for.
    """
    marks: list[Part] = [
        {
            "type": "line",
            "xref": "x",
            "yref": "paper",
            "x0": mark_at(change),
            "x1": mark_at(change),
            "y0": 0,
            "y1": 1,
            "line": {"color": theme.ACCENT, "width": 1.5, "dash": "dot"},
        }
        for change in changes
    ]
    step = _step(epochs)
    axis_title = "epoch" if step == 1 else f"epoch (1 of {step} is drawn)"
    shared: Part = {
        "template": theme.template(),
        "height": HEIGHT,
        "shapes": marks,
        "legend": {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "xanchor": "left"},
        "hovermode": "x unified",
        "margin": MARGIN,
        "uirevision": revision,
    }
    whole = {"dtick": 1} if len(epochs) <= FEW_EPOCHS else {}
    layout["xaxis"] = {"title": {"text": axis_title}} | whole | layout.get("xaxis", {})
    for name in layout:
        if name.startswith(("xaxis", "yaxis")):
            layout[name] = CHEAP_AXIS | {"visible": bool(traces)} | layout[name]
    if not traces:
        titles = [layout[name]["title"]["text"] for name in layout if name.startswith("yaxis")]
        layout |= {"annotations": [_waiting(titles, started=len(epochs) > 0)], "shapes": []}
    return go.Figure(data=traces, layout=shared | layout)


def _waiting(titles: Sequence[str], *, started: bool) -> Part:
    """What stands in the middle of a chart without data; ``titles`` are those of its y axes."""
    reason = "Not measured yet …" if started else "The first epoch is on its way …"
    return {
        "text": "<br>".join([*titles, f"<i>{reason}</i>"]),
        "xref": "paper",
        "yref": "paper",
        "x": 0.5,
        "y": 0.5,
        "showarrow": False,
    }
