"""The layers of a model while it trains: a panel a layer, redrawn every second."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rednd_core.plots import theme
from rednd_core.plots.grid import Part, Squares
from rednd_core.plots.smoothness import SIDE_STYLES
from rednd_core.plots.text import heading, literal

SIDE = 200  # pixels of a panel
LEAST_SIDE = 110  # room for the longest heading
TITLE_HEIGHT = 46  # of the two lines above a panel
LEGEND_HEIGHT = 32


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
        titles: (n_layers,) headings of one or two lines, which ``"\\n"`` parts.
        half_range: the axes run from minus to plus this.
    """
    columns = min(columns, len(coords))
    panels = Squares(len(coords), columns, SIDE, LEAST_SIDE, TITLE_HEIGHT)
    traces: list[Part] = []
    layout: Part = {
        "template": theme.template(),
        "height": LEGEND_HEIGHT + TITLE_HEIGHT + panels.inner + 8,
        "meta": panels.meta,
        "annotations": [],
        "shapes": [],
        "legend": {"orientation": "h", "y": 1, "yanchor": "top", "yref": "container"},
        "margin": {"l": 8, "r": 8, "t": LEGEND_HEIGHT + TITLE_HEIGHT, "b": 8},
        # A wider range is a new picture: a zoom into the old one would hide points.
        "uirevision": f"{revision}:{half_range:.3g}",
    }
    axis = {"range": [-half_range, half_range], "visible": False, "constrain": "domain"}
    frame = {"type": "rect", "x0": 0, "x1": 1, "y0": 0, "y1": 1}
    frame["line"] = {"color": theme.INK, "width": 1}
    for cell in panels.cells():
        points = coords[cell.number]
        layout |= cell.axes(axis, axis | {"scaleanchor": f"x{cell.suffix}"})
        layout["shapes"].append(cell.inside(frame))
        first, *others = map(literal, titles[cell.number].split("\n"))
        title = cell.title(heading(first, *others))
        layout["annotations"].append(title | {"font": {"size": theme.TICK_SIZE}})
        for side, part in (("users", points[:n_users]), ("items", points[n_users:])):
            trace = {
                "type": "scatter",
                "x": part[:, 0],
                "y": part[:, 1],
                "mode": "markers",
                "name": side,
                "legendgroup": side,
                "showlegend": cell.number == 0,
                "marker": {"size": 5, "opacity": 0.7, "color": SIDE_STYLES[side].color},
                "hoverinfo": "skip",
            }
            traces.append(trace | cell.of_trace)
    return go.Figure(data=traces, layout=layout)
