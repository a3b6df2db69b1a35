"""Charts of smoothness tables: users and items as lines of their own, by layer, epoch and weight.

Tables are those of ``measure_layers``, of one view and modality a run; a column ``run`` tells several
runs apart. One run: the side has the colour. Several runs: the run has the colour and the marker, the
side keeps its dash.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from rednd_core.errors import DataError
from rednd_core.plots import theme
from rednd_core.plots.lines import Line, Panel, Style, line_figure

DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "x", "star", "cross", "hexagon")
MARKERS_BY_EPOCH = 10

SIDE_STYLES = {
    "users": Style(theme.USERS, "solid", "circle"),
    "items": Style(theme.ITEMS, "dash", "diamond"),
    "all": Style(theme.CATEGORICAL[2], "dot", "square"),
    "layer output": Style(theme.CATEGORICAL[2], "solid", "triangle-up"),
    "readout": Style(theme.CATEGORICAL[2], "dash", "x"),
    "popularity": Style(theme.INK, "dot", "line-ew"),
    "whole model": Style(theme.PLAIN[1], "dot", "star"),
}
"""``side`` of a table -> its line. The last four are for metrics, which have no side."""


@dataclass(frozen=True)
class PanelText:
    """Which measure a panel shows and how it is called. ``note``: what an end of the scale means."""

    measure: str
    title: str
    note: str = ""


def layer_lines(
    table: pd.DataFrame, measure: str, *, title: str = "", runs: Sequence[str] | None = None
) -> go.Figure:
    """One measure by layer, with the 95 % interval of sampled values.

    Args:
        table: columns layer, side, measure, value, ci, n, n_excluded; run where there are several.
        title: the measure's name on screen.
        runs: order of colours and legend; None keeps that of the table.

    Raises:
        DataError: no row of that measure, or several views or modalities at once.
    """
    panel = _panel(table, PanelText(measure, ""), "layer k", _order(table, runs))
    return line_figure([replace(panel, y_title=title or measure)], columns=1)


def measure_panels(
    table: pd.DataFrame,
    texts: Sequence[PanelText],
    *,
    runs: Sequence[str] | None = None,
    trained_depth: int | None = None,
    columns: int = 2,
) -> go.Figure:
    """Several measures by layer, a panel each; see :func:`layer_lines`.

    Args:
        trained_depth: the model's L; what lies beyond it is shaded, labelled in the first panel.
    """
    order = _order(table, runs)
    panels = [_panel(table, text, "layer k", order) for text in texts]
    if trained_depth is not None:
        panels = [replace(panel, shade_from=float(trained_depth)) for panel in panels]
        panels[0] = replace(panels[0], shade_label="beyond the\ntrained depth")
    return line_figure(panels, columns=columns)


def contrast_panels(
    table: pd.DataFrame, pairs: Sequence[tuple[PanelText, PanelText, bool]]
) -> go.Figure:
    """Panels with a misleading measure beside the one that can be trusted, for one run.

    Args:
        pairs: (misleading, trusted, logarithmic).
    """
    panels = []
    for misleading, trusted, log in pairs:
        wrong = _panel(table, misleading, "layer k", [])
        right = _panel(table, trusted, "layer k", [])
        lines = [replace(line, name=f"misleading, {line.name} nodes") for line in wrong.lines]
        lines += [replace(line, name=f"to trust, {line.name}") for line in right.lines]
        panels.append(replace(wrong, lines=lines, log=log))
    return line_figure(panels)


def epoch_lines(
    table: pd.DataFrame,
    *,
    title: str,
    best_epoch: int | None = None,
    runs: Sequence[str] | None = None,
) -> go.Figure:
    """One measure by epoch, a line a layer, users and items in panels of their own.

    Args:
        table: columns epoch, layer, side, value; run where there are several. Colour and marker
            are the layer, the dash is the run.
        best_epoch: marked, where given.
    """
    order = _order(table, runs)
    colors = theme.layer_colors(int(table["layer"].max()) + 1)
    panels = []
    for side in [side for side in SIDE_STYLES if side in set(table["side"])]:
        lines = []
        for (run, layer), rows in _grouped(table[table["side"] == side], "layer", order):
            depth = int(layer)
            style = Style(
                colors[depth],
                DASHES[order.index(run) % len(DASHES)] if run else "solid",
                SYMBOLS[depth % len(SYMBOLS)],
            )
            lines.append(
                Line(
                    name=f"{run} · layer {depth}" if run else f"layer {depth}",
                    x=rows["epoch"].tolist(),
                    y=rows["value"].to_numpy(dtype=np.float64),
                    style=style,
                )
            )
        panels.append(
            Panel(
                f"{title}, {side}",
                lines,
                "epoch",
                most_markers=MARKERS_BY_EPOCH,
                x_mark=best_epoch,
                mark_label="best epoch",
            )
        )
    return line_figure(panels)


def weight_lines(table: pd.DataFrame, texts: Sequence[PanelText], *, x_title: str) -> go.Figure:
    """Measures of several runs by one of their settings, evenly spaced: it may be 0 or tiny.

    Args:
        table: columns weight, run, side, measure, value, ci.
    """
    ordered = table.sort_values("weight", kind="stable")
    panels = []
    for text in texts:
        rows = ordered[ordered["measure"] == text.measure]
        lines = [
            Line(
                name=str(side),
                x=[f"{weight:g}" for weight in of["weight"]],
                y=of["value"].to_numpy(dtype=np.float64),
                style=SIDE_STYLES[str(side)],
                ci=of["ci"].to_numpy(dtype=np.float64),
                text=of["run"].tolist(),
            )
            for side, of in rows.groupby("side", sort=False)
        ]
        panels.append(Panel(text.title, lines, x_title, note=text.note))
    return line_figure(panels)


def _panel(table: pd.DataFrame, text: PanelText, x_title: str, order: Sequence[str]) -> Panel:
    rows = table[table["measure"] == text.measure]
    if rows.empty:
        raise DataError(
            expected=f"rows of the measure {text.measure!r}",
            found=f"{', '.join(map(str, table['measure'].unique())) or 'an empty table'}",
            remedy="measure it first or choose another one",
        )
    several = len(order) > 1
    lines = []
    for (run, side), of in _grouped(rows, "side", order):
        if of["layer"].duplicated().any():
            raise DataError(
                expected=f"one value a layer of {text.measure!r} for {side}",
                found="several views or modalities in one table",
                remedy="choose one view and one modality",
            )
        style = SIDE_STYLES[side]
        if several:
            number = order.index(run)
            color = theme.PLAIN[number % len(theme.PLAIN)]
            style = Style(color, style.dash, SYMBOLS[number % len(SYMBOLS)])
        lines.append(
            Line(
                name=f"{run} · {side}" if several else side,
                x=of["layer"].tolist(),
                y=of["value"].to_numpy(dtype=np.float64),
                style=style,
                ci=of["ci"].to_numpy(dtype=np.float64),
                text=[_details(ci, n) for ci, n in zip(of["ci"], of["n"], strict=True)],
            )
        )
    return Panel(text.title, lines, x_title, note=text.note)


def _details(ci: float, n: int) -> str:
    """The interval and the number of nodes, pairs, rows or users behind a value."""
    return f"n = {n:,}" if np.isnan(ci) else f"± {ci:.2g} (95 %), n = {n:,}"


def _order(table: pd.DataFrame, runs: Sequence[str] | None) -> list[str]:
    if "run" not in table.columns:
        return []
    return list(runs) if runs is not None else list(dict.fromkeys(table["run"]))


def _grouped(
    table: pd.DataFrame, column: str, order: Sequence[str]
) -> list[tuple[tuple[str, str], pd.DataFrame]]:
    """((run, value of ``column``), rows), runs in ``order``; run "" where the table has no runs."""
    groups = []
    for run in order or [""]:
        of_run = table[table["run"] == run] if run else table
        groups += [((run, str(key)), rows) for key, rows in of_run.groupby(column, sort=False)]
    return groups
