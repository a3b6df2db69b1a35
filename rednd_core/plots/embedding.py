"""Small multiples of one map: a panel a layer, all in ONE figure with the same fixed axes.

One figure, because a browser grants a page only a handful of WebGL contexts; node ids travel in
``customdata``, because a position within a coloured trace says nothing about the node.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray
from plotly.subplots import make_subplots

from rednd_core.errors import DataError
from rednd_core.plots import theme

PANEL_HEIGHT = 480  # pixels, title included
PADDING = 0.05  # of the larger side of the map
LEAST_HALF_RANGE = 1e-3  # no zoom into the rounding of a fully collapsed layer
MISSING = "no value"


def embedding_figure(
    coords: NDArray[np.float32],
    nodes: NDArray[np.int64],
    layer_names: Sequence[str],
    quality: Sequence[Mapping[str, Any]],
    collapsed: Sequence[bool],
    *,
    color: ArrayLike | None = None,
    color_name: str = "",
    hover: Sequence[str] | None = None,
    selected: Sequence[int] = (),
    columns: int = 2,
    colorscale: str = theme.SEQUENTIAL,
) -> go.Figure:
    """Draw a projection.

    Args:
        coords: (n_layers, n, 2) on shared axes.
        nodes: (n,) node numbers, the ``customdata`` of every point.
        layer_names: (n_layers,) e.g. ``"layer 2"``.
        quality: (n_layers,) measures as ``Projection.quality`` has them.
        collapsed: (n_layers,) True writes a warning into the panel.
        color: (n,) numbers for a colour scale (NaN is grey), or strings for categories; None draws
            all points alike.
        color_name: title of the legend or colour bar.
        hover: (n,) text shown for each point, e.g. title, id and type; None shows the node number.
        selected: node numbers ringed in every panel; those not on the map are skipped.
        columns: panels a row.

    Raises:
        DataError: arrays that do not fit each other.
    """
    n_layers, n = coords.shape[:2]
    _check_lengths(n_layers, n, nodes, layer_names, quality, collapsed, color, hover)
    columns = min(columns, n_layers)
    rows = math.ceil(n_layers / columns)
    figure = make_subplots(
        rows=rows,
        cols=columns,
        subplot_titles=[
            panel_title(name, measured) for name, measured in zip(layer_names, quality, strict=True)
        ],
        horizontal_spacing=0.04,
        vertical_spacing=0.26 / rows if rows > 1 else 0.0,
    )
    figure.update_annotations(yshift=6)  # the titles, clear of their frames
    ids = nodes.astype(np.int32)  # plotly sends 32-bit integers as binary, 64-bit ones as text
    text = np.asarray(hover, dtype=object) if hover is not None else None
    groups = _groups(color, color_name, n)
    for number in range(n_layers):
        place = {"row": number // columns + 1, "col": number % columns + 1}
        for group in groups:
            figure.add_trace(
                go.Scattergl(
                    x=coords[number, group.members, 0],
                    y=coords[number, group.members, 1],
                    mode="markers",
                    customdata=ids[group.members],
                    text=None if text is None else text[group.members],
                    hovertemplate="%{text}<extra></extra>"
                    if text is not None
                    else "node %{customdata}<extra></extra>",
                    name=group.name,
                    legendgroup=group.name,
                    showlegend=number == 0 and group.in_legend,
                    marker={"size": _marker_size(n), "opacity": 0.75, **group.marker},
                ),
                **place,
            )
        ring = np.flatnonzero(np.isin(nodes, np.asarray(selected, dtype=np.int64)))
        if len(ring):
            figure.add_trace(
                _ring(
                    coords[number, ring], ids[ring], None if text is None else text[ring], number
                ),
                **place,
            )
        if collapsed[number]:
            figure.add_annotation(**_warning(), **place)
    _fix_axes(figure, coords)
    figure.update_layout(
        template=theme.template(),
        height=PANEL_HEIGHT * rows,
        dragmode="lasso",
        legend={"title": {"text": color_name}},
        coloraxis={"colorscale": colorscale, "colorbar": {"title": {"text": color_name}}},
        uirevision="embedding",  # keeps zoom and selection when colours change
        margin={"t": 96},
    )
    return figure


def panel_title(name: str, quality: Mapping[str, Any]) -> str:
    """Three lines: the layer; MAD and spread of the input; trustworthiness and on how many points."""
    if "mad_users" in quality:
        mad = f"MAD users {_two(quality['mad_users'])} / items {_two(quality['mad_items'])}"
    else:
        mad = f"MAD {_two(quality['mad'])}"
    return (
        f"<b>{name}</b><br><span style='font-size:{theme.TICK_SIZE}px'>"
        f"{mad} · spread {_two(quality['spread'])}<br>"
        f"trustworthiness {_two(quality['trustworthiness'])} "
        f"({quality['n_points']:,} of {quality['n']:,} points)</span>"
    )


def _two(value: float | None) -> str:
    """Two decimals; three where two would print a collapse as 0.00."""
    if value is None:
        return "–"
    return f"{value:.3f}" if abs(value) < 0.095 else f"{value:.2f}"


@dataclass(frozen=True)
class _Group:
    """Points of one trace: their positions, its name, its marker, and whether the legend lists it."""

    members: NDArray[np.int64]
    name: str
    marker: dict[str, Any]
    in_legend: bool = True


def _groups(color: ArrayLike | None, color_name: str, n: int) -> list[_Group]:
    """Traces of one panel in drawing order: grey ones first, so that they lie underneath."""
    if color is None:
        return [_Group(np.arange(n), "nodes", {"color": theme.CATEGORICAL[0]}, in_legend=False)]
    values = np.asarray(color)
    if np.issubdtype(values.dtype, np.number):
        known = np.isfinite(values.astype(np.float64))
        scale = {"color": values[known].astype(np.float32), "coloraxis": "coloraxis"}
        groups = [
            _Group(np.flatnonzero(~known), MISSING, {"color": theme.OTHER}),
            _Group(np.flatnonzero(known), color_name or "value", scale, in_legend=False),
        ]
    else:
        labels = np.array([MISSING if _is_missing(v) else str(v) for v in values], dtype=object)
        colors = theme.category_colors(labels[labels != MISSING])
        drawn = [name for name, shade in colors.items() if shade != theme.OTHER]
        others = f"other ({len(colors) - len(drawn)} more)"
        beyond = ~np.isin(labels, [*drawn, MISSING])
        groups = [
            _Group(np.flatnonzero(labels == MISSING), MISSING, {"color": theme.OTHER}),
            _Group(np.flatnonzero(beyond), others, {"color": theme.OTHER}),
            *(
                _Group(np.flatnonzero(labels == name), name, {"color": colors[name]})
                for name in drawn
            ),
        ]
    return [group for group in groups if len(group.members)]


def _is_missing(value: Any) -> bool:
    return value is None or value != value  # NaN alone differs from itself


def _ring(
    points: NDArray[np.float32],
    ids: NDArray[np.int32],
    text: NDArray[np.object_] | None,
    number: int,
) -> go.Scattergl:
    return go.Scattergl(
        x=points[:, 0],
        y=points[:, 1],
        mode="markers",
        customdata=ids,
        text=text,
        hovertemplate="%{text}<extra>selected</extra>"
        if text is not None
        else "node %{customdata}<extra>selected</extra>",
        name="selected",
        legendgroup="selected",
        showlegend=number == 0,
        marker={"symbol": "circle-open", "size": 16, "color": theme.ACCENT, "line": {"width": 3}},
    )


def _warning() -> dict[str, Any]:
    return {
        "text": "⚠ nearly collapsed:<br>directions hardly differ here",
        "xref": "x domain",
        "yref": "y domain",
        "x": 0.5,
        "y": 0.02,
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"size": theme.TICK_SIZE, "color": theme.WARNING},
    }


def _fix_axes(figure: go.Figure, coords: NDArray[np.float32]) -> None:
    """The same square range in every panel, so that sizes and places compare."""
    low, high = coords.min(axis=(0, 1)), coords.max(axis=(0, 1))
    middle = (low + high) / 2
    half = max(float((high - low).max()) * (0.5 + PADDING), LEAST_HALF_RANGE)
    hidden = {"showticklabels": False, "ticks": "", "zeroline": False, "mirror": True}
    for update, center in ((figure.update_xaxes, middle[0]), (figure.update_yaxes, middle[1])):
        update(
            range=[float(center) - half, float(center) + half],
            showline=True,
            constrain="domain",
            **hidden,
        )
    for axis in figure.select_yaxes():
        axis.update(scaleanchor=axis.plotly_name.replace("yaxis", "x"), scaleratio=1)


def _marker_size(n: int) -> float:
    """Points shrink as they grow in number: 8 px for hundreds, 3 px for tens of thousands."""
    return float(np.clip(22 / n**0.2, 3.0, 8.0))


def _check_lengths(
    n_layers: int,
    n: int,
    nodes: NDArray[np.int64],
    layer_names: Sequence[str],
    quality: Sequence[Mapping[str, Any]],
    collapsed: Sequence[bool],
    color: ArrayLike | None,
    hover: Sequence[str] | None,
) -> None:
    found = {
        "nodes": (len(nodes), n),
        "layer_names": (len(layer_names), n_layers),
        "quality": (len(quality), n_layers),
        "collapsed": (len(collapsed), n_layers),
        "color": (n if color is None else len(np.asarray(color)), n),
        "hover": (n if hover is None else len(hover), n),
    }
    for name, (length, wanted) in found.items():
        if length != wanted:
            raise DataError(
                expected=f"{wanted} entries in {name}",
                found=str(length),
                remedy="pass one entry for every point or layer of the projection",
            )
