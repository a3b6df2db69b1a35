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

from rednd_core.plots import theme
from rednd_core.plots.embedding import (
    LEAST_SIDE,
    TITLE_HEIGHT,
    check_lengths,
    dress,
    hover_texts,
    node_ids,
    panel_title,
    square_axes,
)
from rednd_core.plots.grid import Cell, Part, Squares
from rednd_core.plots.points import MISSING, mark, point_groups, ring, scatter, warning_note
from rednd_core.plots.text import literal

SIDE = 380  # pixels of a panel where there is room
STEPS = 8  # pictures from one layer to the next
STEP_MS = 60
REST_STEPS = 6  # pictures for which a layer stands still
BUTTON_HEIGHT = 48  # pixels of the buttons, above the panels: a reader sees them without scrolling
SLIDER_HEIGHT = 76  # with its labels, below the panels


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
    color: ArrayLike | None = None,
    color_name: str = "",
    log_color: bool = False,
    missing: str = MISSING,
    hover: Sequence[str] | None = None,
    selected: Sequence[int] = (),
    focus: int | None = None,
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
    ids, text = node_ids(nodes), None if hover is None else hover_texts(hover)
    groups, ringed = mark(groups, nodes, selected, focus)

    squares = Squares(len(maps), len(maps), SIDE, LEAST_SIDE, TITLE_HEIGHT)
    panels = squares.cells()

    def traces(layer: int, flats: Sequence[NDArray[np.float32]]) -> list[Part]:
        drawn: list[Part] = []
        for cell, flat in zip(panels, flats, strict=True):
            first = cell.number == 0
            of_panel = [
                scatter(group, flat, layer, ids, text, showlegend=first) for group in groups
            ]
            if len(ringed):
                of_panel.append(ring(flat, ids, text, ringed, showlegend=first))
            drawn += [trace | cell.of_trace for trace in of_panel]
        return drawn

    frames = []
    for layer in range(n_layers):
        at_layer = [each.coords[layer] for each in maps]
        frame = _frame(str(layer), traces(layer, at_layer))
        frames.append(frame | {"layout": {"annotations": _notes(panels, maps, layer_names, layer)}})
        for step in range(1, STEPS if layer + 1 < n_layers else 0):
            share = np.float32(step / STEPS)
            between = [
                (1 - share) * each.coords[layer] + share * each.coords[layer + 1] for each in maps
            ]
            frames.append(_frame(f"{layer}+{step}", traces(layer, between)))
    quality = maps[0].quality
    layout = dress(squares, "", quality, groups, color_name, log_color, colorscale)
    for cell, each in zip(panels, maps, strict=True):
        layout |= cell.axes(*square_axes(each.coords, cell))
    layout["annotations"] = _notes(panels, maps, layer_names, 0)
    _add_controls(layout, layer_names, squares)
    start = traces(0, [each.coords[0] for each in maps])
    return go.Figure(data=start, layout=layout, frames=frames)


def _frame(name: str, drawn: Sequence[Part]) -> Part:
    """What changes: positions, and colours where they differ by layer."""
    moving = [
        {
            "type": "scattergl",
            "x": trace["x"],
            "y": trace["y"],
            "marker": {"color": trace["marker"]["color"]},
        }
        for trace in drawn
    ]
    return {"name": name, "data": moving, "traces": list(range(len(moving)))}


def _notes(
    panels: Sequence[Cell],
    maps: Sequence[AnimatedMap],
    layer_names: Sequence[str],
    layer: int,
) -> list[Part]:
    """Panel titles and warnings of one layer."""
    notes = [
        cell.title(panel_title(f"{each.name}, {layer_names[layer]}", each.quality[layer]))
        for cell, each in zip(panels, maps, strict=True)
    ]
    notes += [
        cell.inside(warning_note())
        for cell, each in zip(panels, maps, strict=True)
        if each.collapsed[layer]
    ]
    return notes


def _add_controls(layout: Part, layer_names: Sequence[str], squares: Squares) -> None:
    """Buttons above the panels, and the slider between the panels and the legend, which moves down.

    Not beside each other, as a slider's place beside buttons is a share of the width: they would meet on
    a phone.
    """
    still = {"mode": "immediate", "frame": {"duration": 0, "redraw": True}}
    tour: list[str] = []
    for layer in range(len(layer_names) - 1):
        tour += [str(layer)] * REST_STEPS + [f"{layer}+{step}" for step in range(1, STEPS)]
    # Once, as play goes on at a frame's first place in the tour, and begins anew only at its end.
    tour.append(str(len(layer_names) - 1))
    playing: Part = {"mode": "immediate", "frame": {"duration": STEP_MS, "redraw": True}}
    playing |= {"transition": {"duration": 0}, "fromcurrent": True}
    layout["height"] += BUTTON_HEIGHT + SLIDER_HEIGHT
    layout["margin"]["t"] += BUTTON_HEIGHT
    layout["margin"]["b"] += SLIDER_HEIGHT
    layout["legend"]["y"] -= SLIDER_HEIGHT / squares.inner
    layout["coloraxis"]["colorbar"]["y"] -= SLIDER_HEIGHT / squares.inner
    layout["sliders"] = [
        {
            "active": 0,
            "x": 0.02,
            "len": 0.96,
            "y": 0,
            "pad": {"t": 8},
            "currentvalue": {"visible": False},
            "transition": {"duration": 0},
            "steps": [
                {"label": literal(name), "method": "animate", "args": [[str(layer)], still]}
                for layer, name in enumerate(layer_names)
            ],
        }
    ]
    layout["updatemenus"] = [
        {
            "type": "buttons",
            "direction": "right",
            "showactive": False,
            "x": 0,
            "xanchor": "left",
            "y": 1,
            "yanchor": "bottom",
            "pad": {"b": squares.above + 8},
            "buttons": [
                {"label": "▶ Play", "method": "animate", "args": [tour, playing]},
                {
                    "label": "❚❚ Pause",
                    "method": "animate",
                    "args": [[None], {"mode": "immediate", "frame": {"duration": 0}}],
                },
            ],
        }
    ]
