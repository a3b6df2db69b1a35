"""Small multiples of line charts in ONE figure, readable without colour: dash and marker also differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.colors import hex_to_rgb

from rednd_core import wording
from rednd_core.errors import DataError
from rednd_core.plots import theme
from rednd_core.plots.grid import Cell, Part, cells
from rednd_core.plots.text import heading, literal, literal_lines
from rednd_core.plots.ticks import log_axis

Array = NDArray[np.float64]

PANEL_HEIGHT = 320  # pixels, title and axis included
BAND_OPACITY = 0.2
MOST_TICKS = 10  # above, plotly chooses as many as the width allows


@dataclass(frozen=True)
class Style:
    """What a line looks like; two lines of one panel differ in more than ``color``."""

    color: str
    dash: str = "solid"
    symbol: str = "circle"


@dataclass(frozen=True, eq=False)
class Line:
    """One line of a panel.

    Attributes:
        name: in the legend and the hover label. Lines of one name in several panels share a legend
            entry, so that a click hides all of them.
        x: (n,) numbers, or strings for an axis of categories. y: (n,), NaN leaves a gap.
        ci: (n,) half-widths of the 95 % interval, NaN where y is exact; None where all are.
        text: (n,) extra hover text, e.g. sample sizes.
    """

    name: str
    x: Sequence[float] | Sequence[str]
    y: Array
    style: Style
    ci: Array | None = None
    text: Sequence[str] | None = None

    def __post_init__(self) -> None:
        for other in (self.y, self.ci, self.text):
            if other is not None and len(other) != len(self.x):
                raise DataError(
                    expected=f"{len(self.x)} values on the line {self.name!r}",
                    found=str(len(other)),
                    remedy="pass one value for every x",
                )


@dataclass(frozen=True, eq=False)
class Panel:
    """One chart of the figure.

    Attributes:
        note: a second, smaller title line, e.g. what the end of the scale means.
        log: logarithmic y axis; values <= 0 have no place there and leave a gap.
        most_markers: markers a line, evenly spread; 0 for one at every point. Many would hide a line.
        shade_from: x from which on the background is grey; with ``shade_label`` on top.
        x_mark: x of a dotted vertical line; with ``mark_label`` beside it.
    """

    title: str
    lines: Sequence[Line]
    x_title: str
    y_title: str = ""
    note: str = ""
    log: bool = False
    most_markers: int = 0
    shade_from: float | None = None
    shade_label: str = ""
    x_mark: float | None = None
    mark_label: str = ""


def line_figure(panels: Sequence[Panel], *, columns: int = 2, title: str = "") -> go.Figure:
    """Draw the panels, ``columns`` in a row.

    Raises:
        DataError: no panel.
    """
    if not panels:
        raise DataError(expected="at least one chart", found="none", remedy="choose a measure")
    columns = min(columns, len(panels))
    rows = math.ceil(len(panels) / columns)
    has_heading = bool(title) or any(panel.title for panel in panels)
    layout: Part = {
        "template": theme.template(),
        "height": PANEL_HEIGHT * rows + 72,
        "title": {"text": literal(title) or None},
        "hovermode": "closest",
        "legend": {
            "orientation": "h",
            "yref": "container",
            "y": 0.0,
            "yanchor": "bottom",
            "x": 0.0,
        },
        "margin": {"t": (40 if title else 0) + (64 if has_heading else 24), "b": 96, "l": 32},
        "annotations": [],
        "shapes": [],
    }
    traces: list[Part] = []
    in_legend: set[str] = set()
    grid = cells(
        len(panels),
        columns,
        horizontal=0.24 / columns,  # room for tick labels on a phone
        vertical=0.34 / rows,
    )
    for cell, panel in zip(grid, panels, strict=True):
        layout["annotations"].append(cell.title(_heading(panel)))
        layout |= cell.axes(_x_axis(panel), _y_axis(panel))
        for line in panel.lines:
            band = _band(line)
            if band is not None:
                traces.append(band | cell.of_trace)
            traces.append(_trace(line, panel, line.name not in in_legend) | cell.of_trace)
            in_legend.add(line.name)
        _draw_marks(layout, panel, cell)
    return go.Figure(data=traces, layout=layout | {"showlegend": len(in_legend) > 1})


def _heading(panel: Panel) -> str:
    if not panel.title:
        return ""
    return heading(literal(panel.title), *([literal(panel.note)] if panel.note else []))


def _trace(line: Line, panel: Panel, showlegend: bool) -> Part:
    name = literal(line.name)
    values = [f"<b>{wording.measure(value)}</b>" for value in line.y.tolist()]
    if line.text is not None:
        values = [f"{of}<br>{literal(text)}" for of, text in zip(values, line.text, strict=True)]
    hover = f"{literal(panel.x_title)} %{{x}}: %{{customdata}}<extra>{name}</extra>"
    return {
        "type": "scatter",
        "x": _positions(line),
        "y": np.where(line.y > 0, line.y, np.nan) if panel.log else line.y,
        "mode": "lines+markers",
        "customdata": values,
        "hovertemplate": hover,
        "name": name,
        "legendgroup": name,
        "showlegend": showlegend,
        "line": {"color": line.style.color, "dash": line.style.dash, "width": 3},
        "marker": {
            "symbol": line.style.symbol,
            "size": 9,
            "maxdisplayed": panel.most_markers,
        },
    }


def _positions(line: Line) -> list[float | str]:
    """x of the line; categories as text that Plotly shows as it stands."""
    return [literal(x) if isinstance(x, str) else x for x in line.x]


def _band(line: Line) -> Part | None:
    """The 95 % interval as one closed shape over the sampled points."""
    if line.ci is None:
        return None
    sampled = np.flatnonzero(np.isfinite(line.ci) & np.isfinite(line.y)).tolist()
    if not sampled:
        return None
    x = [_positions(line)[i] for i in sampled]
    upper, lower = line.y[sampled] + line.ci[sampled], line.y[sampled] - line.ci[sampled]
    red, green, blue = hex_to_rgb(line.style.color)
    return {
        "type": "scatter",
        "x": x + x[::-1],
        "y": np.concatenate([upper, lower[::-1]]),
        "fill": "toself",
        "fillcolor": f"rgba({red},{green},{blue},{BAND_OPACITY})",
        "line": {"width": 0},
        "mode": "lines",
        "hoverinfo": "skip",
        "name": f"{literal(line.name)}, 95 % interval",
        "legendgroup": literal(line.name),
        "showlegend": False,
    }


def _draw_marks(layout: Part, panel: Panel, cell: Cell) -> None:
    note = {"showarrow": False, "font": {"size": theme.TICK_SIZE}}
    last = _last_number(panel)
    if panel.shade_from is not None and last is not None and last > panel.shade_from:
        shade = {
            "type": "rect",
            "x0": panel.shade_from,
            "x1": last,
            "y0": 0,
            "y1": 1,
            "fillcolor": theme.INK,
            "opacity": 0.14,
            "line": {"width": 0},
            "layer": "below",
        }
        label = {
            "text": literal_lines(panel.shade_label),
            "x": last,
            "xanchor": "right",
            "y": 1,
            "yanchor": "top",
        }
        layout["shapes"].append(cell.along_x(shade))
        layout["annotations"].append(cell.along_x(note | label))
    if panel.x_mark is not None:
        line = {"type": "line", "x0": panel.x_mark, "x1": panel.x_mark, "y0": 0, "y1": 1}
        line["line"] = {"dash": "dot", "color": theme.INK}
        label = {"text": literal(panel.mark_label), "x": panel.x_mark, "xanchor": "left", "y": 0}
        layout["shapes"].append(cell.along_x(line))
        layout["annotations"].append(cell.along_x(note | label | {"yanchor": "bottom"}))


def _x_axis(panel: Panel) -> Part:
    axis: Part = {"title": {"text": literal(panel.x_title), "standoff": 4}}
    last = _last_number(panel)
    if last is None:
        return axis | {"type": "category"}
    return axis | ({"dtick": 1} if last <= MOST_TICKS else {"tickformat": "d"})


def _y_axis(panel: Panel) -> Part:
    scale: Part = {"rangemode": "tozero", "nticks": 6}
    if panel.log:
        scale = log_axis(np.concatenate([line.y for line in panel.lines]))
    return {"title": {"text": literal(panel.y_title), "standoff": 4}, **scale}


def _last_number(panel: Panel) -> float | None:
    """The largest x; None for categories and for panels without a point."""
    numbers = [x for line in panel.lines for x in line.x if not isinstance(x, str)]
    return max(numbers, default=None)
