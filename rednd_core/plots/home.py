"""The first picture: small maps of the layers, and MAD lines in the same two colours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from rednd_core import wording
from rednd_core.errors import DataError
from rednd_core.plots import theme
from rednd_core.plots.embedding import hover_texts, map_revision, node_ids, square_axes
from rednd_core.plots.grid import Part, Squares
from rednd_core.plots.lines import Line, Panel, Style, line_figure
from rednd_core.plots.smoothness import SIDE_STYLES
from rednd_core.plots.text import heading, literal

SIDE = 168  # pixels of a panel
LEAST_SIDE = 96  # room for the longest heading
TITLE_HEIGHT = 74  # of the three lines above a panel
RUN_LINE = 20  # more, for a run's name above them
MOST_IN_A_ROW = 4
# Items are smaller and drawn last: where both lie on one spot, both can be seen.
MARKS = {"users": ("circle", 6.5), "items": ("diamond", 4.5)}
RUN_STYLES = (("solid", "circle"), ("dot", "diamond"))


def layer_maps(
    coords: NDArray[np.float32],
    nodes: NDArray[np.int64],
    layer_names: Sequence[str],
    mads: Sequence[tuple[float | None, float | None]],
    *,
    n_users: int,
    hover: Sequence[str],
    run_names: Sequence[str] = (),
) -> go.Figure:
    """A panel a layer on shared axes; users and items in the colours of their lines.

    Args:
        coords: (n_layers, n, 2), of one run or of several, one below the other. nodes: (n,), the
            ``customdata`` of the points.
        layer_names: (n_layers,). mads: (n_layers,) MAD of users and of items, None where undefined.
        hover: (n,) text of each point.
        run_names: of several runs, each with as many layers: a row of panels each.

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
    n_rows = max(1, len(run_names))
    columns = min(n_layers // n_rows, MOST_IN_A_ROW)
    title_height = TITLE_HEIGHT + (RUN_LINE if run_names else 0)
    panels = Squares(n_layers, columns, SIDE, LEAST_SIDE, title_height)
    ids, text = node_ids(nodes), hover_texts(hover)
    is_user = nodes < n_users
    traces: list[Part] = []
    layout: Part = {
        "template": theme.template(),
        "height": title_height + panels.inner + 4,
        "dragmode": "pan",
        "margin": {"l": 4, "r": 4, "t": title_height, "b": 4},
        "showlegend": False,
        "annotations": [],
        "uirevision": map_revision(coords),
        "meta": panels.meta,
    }
    for cell in panels.cells():
        flat = coords[cell.number]
        for side, members in (("users", is_user), ("items", ~is_user)):
            trace = {
                "type": "scattergl",
                "x": flat[members, 0],
                "y": flat[members, 1],
                "mode": "markers",
                "marker": {
                    "color": SIDE_STYLES[side].color,
                    "symbol": MARKS[side][0],
                    "size": MARKS[side][1],
                    "opacity": 0.7,
                },
                "customdata": ids[members],
                "text": text[members],
                "hovertemplate": "%{text}<extra></extra>",
                "name": side,
            }
            traces.append(trace | cell.of_trace)
        run = run_names[cell.number * n_rows // n_layers] if run_names else ""
        title = _title(run, layer_names[cell.number], mads[cell.number])
        layout["annotations"].append(cell.title(title))
        x, y = square_axes(coords, cell)
        layout |= cell.axes(x | {"showgrid": False}, y | {"showgrid": False})
    return go.Figure(data=traces, layout=layout)


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
        "MAD: how far apart",
        lines,
        "layer k",
        y_title="mean cosine distance",
        note="1: unrelated · 0: one direction",
        shade_from=float(trained_depth),
        shade_label="beyond the\ntrained depth",
    )
    figure = line_figure([panel], columns=1)
    figure.layout.height = 2 * (TITLE_HEIGHT + SIDE)  # as tall as two rows of maps beside it
    figure.layout.margin.t = TITLE_HEIGHT
    return figure


def _title(run: str, name: str, mad: tuple[float | None, float | None]) -> str:
    sides = (
        f"<span style='color:{SIDE_STYLES[side].color}'>●</span> {side} {wording.measure(value)}"
        for side, value in zip(("users", "items"), mad, strict=True)
    )
    return heading(*([literal(run)] if run else []), literal(name), *sides)
