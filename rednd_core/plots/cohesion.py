"""How alike the members of a selection are, layer by layer, beside all nodes."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from rednd_core import wording
from rednd_core.plots import theme
from rednd_core.plots.text import literal


def cohesion_figure(
    layer_names: Sequence[str],
    selection: Sequence[float | None],
    everyone: Sequence[float | None],
    *,
    n_selected: int,
    n_all: int,
) -> go.Figure:
    """Mean cosine of pairs per layer, as two lines; the gap between them is what a cluster is.

    Args:
        selection, everyone: (n_layers,) mean cosines; None (too few rows) leaves a gap.
    """
    lines = (
        (f"selection (n = {n_selected:,})", selection, theme.ACCENT, "solid"),
        (f"all nodes (n = {n_all:,})", everyone, theme.INK, "dash"),
    )
    traces = [
        {
            "type": "scatter",
            "x": [literal(name) for name in layer_names],
            "y": list(values),
            "customdata": [wording.measure(value) for value in values],
            "mode": "lines+markers",
            "name": name,
            "line": {"color": color, "width": 3, "dash": dash},
            "marker": {"size": 9},
            "hovertemplate": "%{x}: %{customdata}<extra>" + name + "</extra>",
        }
        for name, values, color, dash in lines
    ]
    layout = {
        "template": theme.template(),
        "height": 320,
        "yaxis": {"title": {"text": "mean cosine of pairs"}},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "margin": {"t": 48, "b": 40},
    }
    return go.Figure(data=traces, layout=layout)
