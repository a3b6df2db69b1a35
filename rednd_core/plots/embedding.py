"""Small multiples of one map: a panel a layer, all in ONE figure with the same fixed axes.

One figure, because a page can have only a handful of WebGL contexts; node ids travel in
``customdata``, because a position within a coloured trace says nothing about the node.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from rednd_core import wording
from rednd_core.errors import DataError
from rednd_core.plots import theme
from rednd_core.plots.grid import Cell, Part, Squares
from rednd_core.plots.points import (
    MISSING,
    Group,
    color_axis,
    mark,
    point_groups,
    ring,
    scatter,
    warning_note,
)
from rednd_core.plots.text import heading, literal, literal_lines

PANEL_SIDE = 250  # pixels of a panel beside others, without its title
SINGLE_SIDE = 460  # of a panel alone
LEAST_SIDE = 150  # room for the longest heading
TITLE_HEIGHT = 112  # of the five lines above a panel
LINE_HEIGHT = 20  # of a further line there
HEAD_HEIGHT = 66  # of the figure's own title
LEGEND_HEIGHT = 24  # of a legend line, or
BAR_HEIGHT = 78  # of the colour bar
LEGEND_WIDTH = 480  # pixels in which the legend is assumed to wrap
PADDING = 0.05  # of the larger side of the map
LEAST_HALF_RANGE = 1e-3  # no zoom into the rounding of a fully collapsed layer


def embedding_figure(
    coords: NDArray[np.float32],
    nodes: NDArray[np.int64],
    layer_names: Sequence[str],
    quality: Sequence[Mapping[str, Any]],
    collapsed: Sequence[bool],
    *,
    title: str = "",
    color: ArrayLike | None = None,
    color_name: str = "",
    log_color: bool = False,
    missing: str = MISSING,
    hover: Sequence[str] | None = None,
    selected: Sequence[int] = (),
    focus: int | None = None,
    columns: int = 2,
    panel_side: int | None = None,
    colorscale: str = theme.SEQUENTIAL,
) -> go.Figure:
    """Draw a projection.

    Args:
        coords: (n_layers, n, 2) on shared axes.
        nodes: (n,) node numbers, the ``customdata`` of every point.
        layer_names: (n_layers,) e.g. ``"layer 2"``.
        quality: (n_layers,) measures as ``Projection.quality`` has them.
        collapsed: (n_layers,) True writes a warning into the panel.
        title: what the map is; below it stand k and n of the trustworthiness. Empty: no title.
        color: (n,) numbers for a colour scale, or (n_layers, n) where they differ by layer (NaN is
            grey), or (n,) strings for categories; None draws all points alike.
        color_name: title of the legend or colour bar.
        log_color: colour numbers by their logarithm.
        missing: what points without a colour value are called.
        hover: (n,) text shown for each point, e.g. title, id and type; None shows the node number.
            Every text is shown as it stands, and ``"\\n"`` as a line break.
        selected, focus: node numbers marked in every panel, see :func:`rednd_core.plots.points.mark`.
        columns: panels a row.
        panel_side: pixels where there is room; None fits a figure in half of a wide page.

    Raises:
        DataError: arrays that do not fit each other.
    """
    n_layers, n = coords.shape[:2]
    check_lengths(n_layers, n, nodes, layer_names, quality, collapsed, color, hover)
    columns = min(columns, n_layers)
    groups = point_groups(color, n_layers, n, name=color_name, log=log_color, missing=missing)
    side = panel_side or (SINGLE_SIDE if n_layers == 1 else PANEL_SIDE)
    above = TITLE_HEIGHT + LINE_HEIGHT * max(name.count("\n") for name in layer_names)
    panels = Squares(n_layers, columns, side, LEAST_SIDE, above)
    ids = node_ids(nodes)
    text = None if hover is None else hover_texts(hover)
    groups, ringed = mark(groups, nodes, selected, focus)
    traces: list[Part] = []
    notes: list[Part] = []
    layout = dress(panels, title, quality, groups, color_name, log_color, colorscale)
    # What was hidden by the legend stays hidden while the groups are the same.
    layout["uirevision"] = map_revision(coords)
    layout["legend"]["uirevision"] = " · ".join(group.name for group in groups)
    for cell in panels.cells():
        number, flat = cell.number, coords[cell.number]
        first = number == 0
        drawn = [scatter(group, flat, number, ids, text, showlegend=first) for group in groups]
        if len(ringed):
            drawn.append(ring(flat, ids, text, ringed, showlegend=first))
        traces += [trace | cell.of_trace for trace in drawn]
        notes.append(cell.title(panel_title(layer_names[number], quality[number])))
        if collapsed[number]:
            notes.append(cell.inside(warning_note()))
        layout |= cell.axes(*square_axes(coords, cell))
    return go.Figure(data=traces, layout=layout | {"annotations": notes})


def panel_title(name: str, quality: Mapping[str, Any]) -> str:
    """Lines that a narrow panel can hold: the layer, its MADs, spread and trustworthiness."""
    sides = {"mad_users": "MAD users", "mad_items": "MAD items"}
    if "mad_users" not in quality:
        sides = {"mad": "MAD"}
    names = sides | {"spread": "spread", "trustworthiness": "trustworthiness"}
    measured = (f"{text} {wording.measure(quality[key])}" for key, text in names.items())
    return heading(literal_lines(name), *measured)


def figure_title(title: str, quality: Sequence[Mapping[str, Any]]) -> str:
    """What the map is, and on how many neighbours and points its trustworthiness was measured."""
    first = quality[0]
    measured = f"trustworthiness: k = {first['k']}, {first['n_points']:,} of {first['n']:,} points"
    return heading(literal(title), measured)


def node_ids(nodes: NDArray[np.int64]) -> NDArray[np.int32]:
    """Plotly sends 32-bit integers as binary, 64-bit ones as text."""
    return nodes.astype(np.int32)


def hover_texts(hover: Sequence[str]) -> NDArray[np.object_]:
    """Hover texts (n,) for Plotly, see :func:`~rednd_core.plots.text.literal_lines`."""
    return np.array([literal_lines(text) for text in hover], dtype=object)


def dress(
    panels: Squares,
    title: str,
    quality: Sequence[Mapping[str, Any]],
    groups: Sequence[Group],
    color_name: str,
    log_color: bool,
    colorscale: str,
) -> Part:
    """Layout: titles, panels, legend."""
    inner = panels.inner
    listed = [group.name for group in groups if group.in_legend]
    lines = math.ceil(len(listed) * (8 * max(map(len, listed), default=0) + 48) / LEGEND_WIDTH)
    has_bar = any(group.values is not None for group in groups)
    top = (HEAD_HEIGHT if title else 0) + panels.above
    below = BAR_HEIGHT if has_bar else LEGEND_HEIGHT  # the latter for the legend's title
    bottom = below + LEGEND_HEIGHT * lines + 8
    return {
        "template": theme.template(),
        "title": {
            "text": figure_title(title, quality) if title else None,
            "y": 1,
            "xref": "paper",
            "yref": "paper",  # so many pixels above the panels, however high they are
            "yanchor": "bottom",
            "pad": {"b": panels.above + 36},
        },
        "height": inner + top + bottom,
        "meta": panels.meta,
        "dragmode": "pan",  # the app takes clicks in this mode only; box and lasso are in the toolbar
        "legend": {
            "title": {"text": literal(color_name) if not has_bar else "", "side": "top"},
            "orientation": "h",
            "x": 0,
            "y": -(BAR_HEIGHT if has_bar else 8) / inner,
            "yanchor": "top",
        },
        "coloraxis": color_axis(list(groups), color_name, log_color, colorscale),
        "margin": {"t": top, "b": bottom, "l": 8, "r": 8},
    }


def map_revision(coords: NDArray[np.float32]) -> str:
    """``uirevision`` of a map: the reader's zoom stays while the map does, and no longer."""
    return f"{zlib.crc32(coords.tobytes()):08x}"


def square_axes(coords: NDArray[np.float32], cell: Cell) -> tuple[Part, Part]:
    """x and y axis of a panel: the same square range for all ``coords`` (n_layers, n, 2).

    So sizes and places compare between the panels.
    """
    low, high = coords.min(axis=(0, 1)), coords.max(axis=(0, 1))
    middle = (low + high) / 2
    half = max(float((high - low).max()) * (0.5 + PADDING), LEAST_HALF_RANGE)
    shared = {"showticklabels": False, "ticks": "", "zeroline": False, "mirror": True}
    shared |= {"showline": True, "constrain": "domain"}
    x, y = ({"range": [float(m) - half, float(m) + half], **shared} for m in middle)
    # Under its title, where the panel is narrower than its row is high.
    return x, y | {"scaleanchor": f"x{cell.suffix}", "scaleratio": 1, "constraintoward": "top"}


def check_lengths(
    n_layers: int,
    n: int,
    nodes: NDArray[np.int64],
    layer_names: Sequence[str],
    quality: Sequence[Mapping[str, Any]],
    collapsed: Sequence[bool],
    color: ArrayLike | None,
    hover: Sequence[str] | None,
) -> None:
    """Refuse parts that do not fit ``n_layers`` layers of ``n`` points."""
    found = {
        "nodes": (len(nodes), n),
        "layer_names": (len(layer_names), n_layers),
        "quality": (len(quality), n_layers),
        "collapsed": (len(collapsed), n_layers),
        "hover": (n if hover is None else len(hover), n),
    }
    if color is not None:
        shape = np.shape(color)
        found["color"] = (shape[-1], n)
        if len(shape) == 2:
            found["color rows"] = (shape[0], n_layers)
    for name, (length, wanted) in found.items():
        if length != wanted:
            raise DataError(
                expected=f"{wanted} entries in {name}",
                found=str(length),
                remedy="pass one entry for every point or layer of the projection",
            )
