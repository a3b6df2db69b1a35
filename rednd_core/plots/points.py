"""Points of a map as traces: which colour gives which group, how large, and how a selection shows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rednd_core.plots import theme
from rednd_core.plots.grid import Part
from rednd_core.plots.text import literal, shortened

MISSING = "no value"
MOST_RINGS = 24  # more would hide the map: beyond, the points that are not selected are dimmed
DIMMED = 0.08  # opacity of those


@dataclass(frozen=True)
class Group:
    """Points of one trace.

    Attributes:
        members: (m,) positions among the points.
        color: one colour of the palette; None where ``values`` colour the points.
        values: (n_layers, m) float32 for the shared colour axis.
    """

    members: NDArray[np.int64]
    name: str
    color: str | None = None
    values: NDArray[np.float32] | None = None
    in_legend: bool = True
    opacity: float = 0.75

    def part(self, inside: NDArray[np.bool_], **changes: Any) -> Group:
        """The members for which ``inside`` (m,) is True, with ``changes`` of other attributes."""
        values = None if self.values is None else self.values[:, inside]
        return replace(self, members=self.members[inside], values=values, **changes)

    def marker(self, layer: int) -> dict[str, Any]:
        """The colouring part of the marker in one layer."""
        if self.values is None:
            return {"color": self.color}
        return {"color": self.values[layer], "coloraxis": "coloraxis"}


def point_groups(
    color: ArrayLike | None,
    n_layers: int,
    n: int,
    *,
    name: str,
    log: bool = False,
    missing: str = MISSING,
) -> list[Group]:
    """Groups in drawing order: grey ones first, so that they lie underneath.

    Args:
        color: (n,) or, for numbers, (n_layers, n). A number that is NaN in any layer is grey in all,
            and on a logarithmic scale so are numbers up to 0. Strings are categories; None and NaN
            are grey. None instead of an array colours all points alike.
        name: of the values.
        log: values become their base-10 logarithm; see :func:`log_ticks`.
        missing: what the grey points are called.
    """
    if color is None:
        return [Group(np.arange(n), "nodes", theme.CATEGORICAL[0], in_legend=False)]
    given = np.asarray(color)
    if np.issubdtype(given.dtype, np.number) or given.dtype == bool:
        values = np.broadcast_to(np.atleast_2d(given.astype(np.float64)), (n_layers, n))
        if log:
            values = np.log10(values, where=values > 0, out=np.full(values.shape, np.nan))
        known = np.isfinite(values).all(axis=0)
        groups = [
            Group(np.flatnonzero(~known), literal(missing), theme.OTHER),
            Group(
                np.flatnonzero(known),
                literal(name) or "value",
                values=values[:, known].astype(np.float32),
                in_legend=False,
            ),
        ]
    else:
        absent = np.array([value is None or value != value for value in given], dtype=bool)
        labels = given.astype(str)
        colors = theme.category_colors(labels[~absent].tolist())
        drawn = [label for label, shade in colors.items() if shade != theme.OTHER]
        beyond = ~absent & ~np.isin(labels, drawn)
        groups = [
            Group(np.flatnonzero(absent), literal(missing), theme.OTHER),
            Group(np.flatnonzero(beyond), f"other ({len(colors) - len(drawn)} more)", theme.OTHER),
            *(
                Group(np.flatnonzero(~absent & (labels == label)), shortened(label), colors[label])
                for label in drawn
            ),
        ]
    return [group for group in groups if len(group.members)]


def mark(
    groups: Sequence[Group],
    nodes: NDArray[np.int64],
    selected: Sequence[int],
    focus: int | None,
) -> tuple[list[Group], NDArray[np.int64]]:
    """Show a selection: a few points get rings; of many, all others are dimmed.

    Traces of their own for the dimmed points, as the frames of an animation undo Plotly's own way
    (``selectedpoints``), and so that they lie underneath.

    Args:
        groups: of the points. nodes: (n,) their node numbers.
        selected: node numbers; those not on the map are skipped.
        focus: the one of them that keeps its ring where many are selected.

    Returns:
        The groups to draw, and the positions (m,) of the points with a ring.
    """
    lit = np.isin(nodes, np.asarray(selected, dtype=np.int64))
    if int(lit.sum()) <= MOST_RINGS:
        return list(groups), np.flatnonzero(lit)
    dim, bright = [], []
    for group in groups:
        inside = lit[group.members]
        in_legend = group.in_legend and not inside.any()
        dim.append(group.part(~inside, opacity=DIMMED, in_legend=in_legend))
        bright.append(group.part(inside))
    ringed = lit & np.isin(nodes, [] if focus is None else [focus])
    return [group for group in dim + bright if len(group.members)], np.flatnonzero(ringed)


def color_axis(groups: list[Group], name: str, log: bool, colorscale: str) -> dict[str, Any]:
    """The shared colour axis, its bar lying under the panels."""
    bar: dict[str, Any] = {
        "title": {"text": literal(name), "side": "top"},
        "orientation": "h",
        "thickness": 14,
        "x": 0.5,
        "y": -0.02,
        "yanchor": "top",
    }
    scaled = [group.values for group in groups if group.values is not None]
    if log and scaled:
        bar["tickvals"], bar["ticktext"] = log_ticks(
            min(float(values.min()) for values in scaled),
            max(float(values.max()) for values in scaled),
        )
    return {"colorscale": colorscale, "colorbar": bar}


def log_ticks(low: float, high: float) -> tuple[list[float], list[str]]:
    """Positions (base-10 logarithms) and texts of 1, 2, 5, 10, ... between two logarithms."""
    numbers = [
        step * 10.0**power
        for power in range(math.floor(low), math.ceil(high) + 1)
        for step in (1, 2, 5)
    ]
    inside = [number for number in numbers if low - 1e-9 <= math.log10(number) <= high + 1e-9]
    return [math.log10(number) for number in inside], [f"{number:,g}" for number in inside]


def scatter(
    group: Group,
    coords: NDArray[np.float32],
    layer: int,
    ids: NDArray[np.int32],
    text: NDArray[np.object_] | None,
    *,
    showlegend: bool,
) -> Part:
    """One group in one panel; ``coords`` (n, 2), ``ids`` and ``text`` (n,) of all points."""
    marker = {"size": marker_size(len(ids)), "opacity": group.opacity, **group.marker(layer)}
    return {
        **_points(coords, ids, text, group.members, group.name, marker),
        "hovertemplate": _hover(text, ""),
        "showlegend": showlegend and group.in_legend,
    }


def ring(
    coords: NDArray[np.float32],
    ids: NDArray[np.int32],
    text: NDArray[np.object_] | None,
    members: NDArray[np.int64],
    *,
    showlegend: bool,
) -> Part:
    """Rings around the points ``members`` of one panel."""
    marker = {
        "symbol": "circle-open",
        "size": 16,
        "color": theme.ACCENT,
        "line": {"width": 3},
    }
    return {
        **_points(coords, ids, text, members, "selected", marker),
        "hovertemplate": _hover(text, "selected"),
        "showlegend": showlegend,
    }


def _points(
    coords: NDArray[np.float32],
    ids: NDArray[np.int32],
    text: NDArray[np.object_] | None,
    members: NDArray[np.int64],
    name: str,
    marker: Part,
) -> Part:
    return {
        "type": "scattergl",
        "x": coords[members, 0],
        "y": coords[members, 1],
        "mode": "markers",
        "customdata": ids[members],
        "text": None if text is None else text[members],
        "name": name,
        "legendgroup": name,
        "marker": marker,
    }


def warning_note() -> Part:
    """The annotation of a nearly collapsed panel, as :meth:`Cell.inside` takes it."""
    return {
        "text": f"<span style='color:{theme.WARNING}'>⚠</span> nearly collapsed",
        "x": 0.5,
        "y": 0.02,
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"size": theme.TICK_SIZE},
    }


def marker_size(n: int) -> float:
    """Points shrink as they grow in number: 8 px for hundreds, 3 px for tens of thousands."""
    return float(np.clip(22 / n**0.2, 3.0, 8.0))


def _hover(text: NDArray[np.object_] | None, extra: str) -> str:
    shown = "node %{customdata}" if text is None else "%{text}"
    return f"{shown}<extra>{extra}</extra>"
