"""The layers of a map one after the other: one figure with a slider and a play button.

Between two layers the points travel on straight lines. That is for the eye alone, so that it can
follow a node; the positions at the slider's stops are the map's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray
from plotly.subplots import make_subplots

from rednd_core.plots import theme
from rednd_core.plots.embedding import (
    SINGLE_HEIGHT,
    TITLE_HEIGHT,
    check_lengths,
    dress,
    fix_axes,
    literal,
    node_ids,
    panel_title,
)
from rednd_core.plots.points import MISSING, point_groups, ring, scatter, warning_note

STEPS = 8  # pictures from one layer to the next
STEP_MS = 60
REST_STEPS = 6  # pictures for which a layer stands still
CONTROL_HEIGHT = 96  # pixels of slider and buttons


@dataclass(frozen=True)
class AnimatedMap:
    """One panel of the animation.

    Attributes:
        name: e.g. ``"PCA"``.
        coords: (n_layers, n, 2) on axes shared by the layers.
        quality, collapsed: (n_layers,) as ``Projection`` has them.
    """

    name: str
    coords: NDArray[np.float32]
    quality: Sequence[Mapping[str, Any]]
    collapsed: Sequence[bool]


def embedding_animation(
    maps: Sequence[AnimatedMap],
    nodes: NDArray[np.int64],
    layer_names: Sequence[str],
    *,
    title: str = "",
    color: ArrayLike | None = None,
    color_name: str = "",
    log_color: bool = False,
    missing: str = MISSING,
    hover: Sequence[str] | None = None,
    selected: Sequence[int] = (),
    colorscale: str = theme.SEQUENTIAL,
) -> go.Figure:
    """Draw maps of the same layers and nodes side by side, moved by one slider.

    Args:
        maps: one panel each, at least one.
        layer_names: (n_layers,), the slider's stops; the other arguments are those of
            :func:`rednd_core.plots.embedding.embedding_figure`.

    Raises:
        DataError: arrays that do not fit each other.
    """
    n_layers, n = len(layer_names), len(nodes)
    for each in maps:
        check_lengths(
            len(each.coords),
            each.coords.shape[1],
            nodes,
            layer_names,
            each.quality,
            each.collapsed,
            color,
            hover,
        )
    groups = point_groups(color, n_layers, n, name=color_name, log=log_color, missing=missing)
    ids, text = node_ids(nodes), literal(hover)
    marked = np.flatnonzero(np.isin(nodes, np.asarray(selected, dtype=np.int64)))

    def traces(layer: int, flats: Sequence[NDArray[np.float32]]) -> list[tuple[int, go.Scattergl]]:
        drawn = []
        for panel, flat in enumerate(flats, start=1):
            first = panel == 1
            drawn += [
                (panel, scatter(group, flat, layer, ids, text, showlegend=first))
                for group in groups
            ]
            if len(marked):
                drawn.append((panel, ring(flat, ids, text, marked, showlegend=first)))
        return drawn

    figure = make_subplots(
        rows=1, cols=len(maps), subplot_titles=[" "] * len(maps), horizontal_spacing=0.04
    )
    for panel, trace in traces(0, [each.coords[0] for each in maps]):
        figure.add_trace(trace, row=1, col=panel)
    for panel, each in enumerate(maps, start=1):
        fix_axes(figure, each.coords, panel)
    places = [note.to_plotly_json() for note in figure.layout.annotations]
    figure.layout.annotations = _notes(places, maps, layer_names, 0)

    frames = []
    for layer in range(n_layers):
        at_layer = [each.coords[layer] for each in maps]
        frames.append(_frame(str(layer), traces(layer, at_layer)))
        frames[-1].layout = {"annotations": _notes(places, maps, layer_names, layer)}
        for step in range(1, STEPS if layer + 1 < n_layers else 0):
            share = np.float32(step / STEPS)
            between = [
                (1 - share) * each.coords[layer] + share * each.coords[layer + 1] for each in maps
            ]
            frames.append(_frame(f"{layer}+{step}", traces(layer, between)))
    figure.frames = frames
    inner = SINGLE_HEIGHT
    dress(
        figure,
        inner,
        TITLE_HEIGHT,
        title,
        maps[0].quality,
        groups,
        color_name,
        log_color,
        colorscale,
    )
    _add_controls(figure, layer_names, inner)
    return figure


def _frame(name: str, drawn: Sequence[tuple[int, go.Scattergl]]) -> go.Frame:
    """What changes: positions, and colours where they differ by layer."""
    moving = [
        go.Scattergl(x=trace.x, y=trace.y, marker={"color": trace.marker.color})
        for _, trace in drawn
    ]
    return go.Frame(name=name, data=moving, traces=list(range(len(moving))))


def _notes(
    places: Sequence[Mapping[str, Any]],
    maps: Sequence[AnimatedMap],
    layer_names: Sequence[str],
    layer: int,
) -> list[dict[str, Any]]:
    """Panel titles and warnings of one layer."""
    notes = [
        {**place, "text": panel_title(f"{each.name}, {layer_names[layer]}", each.quality[layer])}
        for place, each in zip(places, maps, strict=True)
    ]
    for panel, each in enumerate(maps, start=1):
        if each.collapsed[layer]:
            number = "" if panel == 1 else str(panel)
            axes = {"xref": f"x{number} domain", "yref": f"y{number} domain"}
            notes.append({**warning_note(), **axes})
    return notes


def _add_controls(figure: go.Figure, layer_names: Sequence[str], inner: int) -> None:
    """Slider and play button between the panels and the legend, which moves down."""
    still = {"mode": "immediate", "frame": {"duration": 0, "redraw": True}}
    tour: list[str] = []
    for layer in range(len(layer_names)):
        between = range(1, STEPS if layer + 1 < len(layer_names) else 0)
        tour += [str(layer)] * REST_STEPS + [f"{layer}+{step}" for step in between]
    playing = {"mode": "immediate", "frame": {"duration": STEP_MS, "redraw": True}}
    playing["transition"] = {"duration": 0}
    figure.update_layout(
        height=figure.layout.height + CONTROL_HEIGHT,
        margin={"b": figure.layout.margin.b + CONTROL_HEIGHT},
        legend={"y": figure.layout.legend.y - CONTROL_HEIGHT / inner},
        coloraxis={"colorbar": {"y": -0.02 - CONTROL_HEIGHT / inner}},
        sliders=[
            {
                "active": 0,
                "x": 0.16,
                "len": 0.78,
                "y": -0.01,
                "pad": {"t": 8},
                "currentvalue": {"visible": False},
                "transition": {"duration": 0},
                "steps": [
                    {"label": name, "method": "animate", "args": [[str(layer)], still]}
                    for layer, name in enumerate(layer_names)
                ],
            }
        ],
        updatemenus=[
            {
                "type": "buttons",
                "showactive": False,
                "x": 0,
                "xanchor": "left",
                "y": -0.02,
                "yanchor": "top",
                "pad": {"t": 8},
                "buttons": [
                    {"label": "▶ Play", "method": "animate", "args": [tour, playing]},
                    {
                        "label": "❚❚ Stop",
                        "method": "animate",
                        "args": [[None], {"mode": "immediate", "frame": {"duration": 0}}],
                    },
                ],
            }
        ],
    )
