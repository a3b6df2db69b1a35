"""The first picture: small maps of the layers, and MAD lines in the same two colours."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from rednd_core.errors import DataError
from rednd_core.plots import theme
from rednd_core.plots.lines import Line, Panel, Style, line_figure
from rednd_core.plots.smoothness import SIDE_STYLES

ROW_HEIGHT = 270  # pixels, title included
MOST_IN_TWO_COLUMNS = 4
PADDING = 0.05  # of the larger side of the map
RUN_STYLES = (("solid", "circle"), ("dot", "diamond"))


def layer_maps(
    coords: NDArray[np.float32],
    nodes: NDArray[np.int64],
    layer_names: Sequence[str],
    mads: Sequence[tuple[float | None, float | None]],
    *,
    n_users: int,
    hover: Sequence[str],
) -> go.Figure:
    """A panel a layer on shared axes; users and items in the colours of their lines.

    Args:
        coords: (n_layers, n, 2). nodes: (n,), the ``customdata`` of the points.
        layer_names: (n_layers,). mads: (n_layers,) MAD of users and of items, None where undefined.
        hover: (n,) text of each point.

    Raises:
        DataError: lengths that do not fit each other.
    """
    n_layers, n = coords.shape[:2]
    if (len(layer_names), len(mads), len(nodes), len(hover)) != (n_layers, n_layers, n, n):
        raise DataError(
            expected=f"{n_layers} layer names and MADs, {n} nodes and texts",
            found=f"{len(layer_names)}, {len(mads)}, {len(nodes)} and {len(hover)}",
            remedy="pass one entry for every layer or point of the projection",
        )
    columns = min(n_layers, 2 if n_layers <= MOST_IN_TWO_COLUMNS else 3)
    rows = math.ceil(n_layers / columns)
    figure = make_subplots(
        rows=rows,
        cols=columns,
        subplot_titles=[_title(*both) for both in zip(layer_names, mads, strict=True)],
        horizontal_spacing=0.03,
        vertical_spacing=0.26 / rows if rows > 1 else 0.0,
    )
    figure.update_annotations(yshift=4)  # the titles, clear of their frames
    ids, text = nodes.astype(np.int32), np.asarray(hover, dtype=object)
    for number in range(n_layers):
        for side, members in (("users", nodes < n_users), ("items", nodes >= n_users)):
            figure.add_trace(
                go.Scattergl(
                    x=coords[number, members, 0],
                    y=coords[number, members, 1],
                    mode="markers",
                    marker={"color": SIDE_STYLES[side].color, "size": 4.5, "opacity": 0.7},
                    customdata=ids[members],
                    text=text[members],
                    hovertemplate="%{text}<extra></extra>",
                    name=side,
                    showlegend=False,
                ),
                row=number // columns + 1,
                col=number % columns + 1,
            )
    _share_axes(figure, coords)
    figure.update_layout(
        template=theme.template(),
        height=ROW_HEIGHT * rows + 24,
        dragmode="pan",
        margin={"l": 4, "r": 4, "t": 72, "b": 4},
    )
    return figure


def mad_lines(tables: Sequence[tuple[str, pd.DataFrame]], *, trained_depth: int) -> go.Figure:
    """MAD by layer of up to two runs; users and items have the colour, the run has the dash.

    Args:
        tables: name of the run and its MAD (columns layer, side, value, n).
        trained_depth: what lies beyond it is shaded and labelled.
    """
    lines = [
        Line(
            name=f"{name} · {side}",
            x=rows["layer"].tolist(),
            y=rows["value"].to_numpy(dtype=np.float64),
            style=Style(SIDE_STYLES[str(side)].color, dash, symbol),
            text=[f"n = {n:,} {side}" for n in rows["n"]],
        )
        for (name, table), (dash, symbol) in zip(tables, RUN_STYLES, strict=False)
        for side, rows in table.groupby("side", sort=False)
    ]
    panel = Panel(
        "How far apart two of a kind are",
        lines,
        "layer k",
        y_title="MAD (mean cosine distance)",
        note="1: unrelated · 0: all point the same way",
        shade_from=float(trained_depth),
        shade_label="beyond the<br>trained depth",
    )
    figure = line_figure([panel], columns=1)
    figure.update_layout(height=2 * ROW_HEIGHT + 24, margin={"t": 72})
    return figure


def _title(name: str, mad: tuple[float | None, float | None]) -> str:
    sides = (
        f"<span style='color:{SIDE_STYLES[side].color}'>{side} {_short(value)}</span>"
        for side, value in zip(("users", "items"), mad, strict=True)
    )
    small = "<br>".join(sides)
    return f"<b>{name}</b><br><span style='font-size:{theme.TICK_SIZE}px'>{small}</span>"


def _short(mad: float | None) -> str:
    if mad is None:
        return "–"
    return f"{mad:.2f}" if mad >= 0.01 else f"{mad:.1g}"


def _share_axes(figure: go.Figure, coords: NDArray[np.float32]) -> None:
    """One square range for all panels, so that a smaller cloud is a smaller cloud."""
    low, high = coords.min(axis=(0, 1)), coords.max(axis=(0, 1))
    middle = (low + high) / 2
    half = max(float((high - low).max()) * (0.5 + PADDING), 1e-3)
    frame = {"showline": True, "mirror": True, "showticklabels": False, "ticks": ""}
    for update, center in ((figure.update_xaxes, middle[0]), (figure.update_yaxes, middle[1])):
        update(
            range=[float(center) - half, float(center) + half],
            zeroline=False,
            showgrid=False,
            constrain="domain",
            **frame,
        )
    for axis in figure.select_yaxes():
        # towards the top: next to the panel's title when the panel is narrower than it is high
        axis.update(scaleanchor=axis.plotly_name.replace("yaxis", "x"), constraintoward="top")
