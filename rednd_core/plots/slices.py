"""Where a model works: its metric on slices of users and items, with intervals."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from rednd_core.plots import theme
from rednd_core.plots.grid import Part, cells
from rednd_core.plots.item_axis import rows_axis
from rednd_core.plots.recommendations import LEGEND_ON_TOP, MODEL_COLORS, SYMBOLS
from rednd_core.plots.text import literal

APART = 0.28  # rows between two models on one slice


def slices_figure(table: pd.DataFrame, metric: str) -> go.Figure:
    """Mean and 95 % interval on every slice, a panel a group of slices.

    Args:
        table: as :func:`rednd_core.evaluation.overview.slice_overview` returns it.
    """
    panels = list(table.groupby("group", sort=False))
    sizes = [panel["slice"].nunique() for _, panel in panels]
    layout: Part = {
        "template": theme.template(),
        "height": 200 + 66 * sum(sizes),
        "margin": {"t": 104, "b": 8, "l": 8},
        "legend": LEGEND_ON_TOP,
        "annotations": [],
    }
    dots: list[Part] = []
    grid = cells(len(panels), 1, vertical=0.1, heights=[size + 0.6 for size in sizes])
    for cell, (group, panel) in zip(grid, panels, strict=True):
        names = list(dict.fromkeys(panel["slice"]))
        models = list(panel.groupby("model", sort=False))
        for number, (model, part) in enumerate(models):
            shift = (number - (len(models) - 1) / 2) * APART
            trace = {
                "type": "scatter",
                "x": part["mean"].to_numpy(),
                "y": [names.index(name) + shift for name in part["slice"]],
                "error_x": _error(part),
                "mode": "markers",
                "name": literal(model),
                "legendgroup": str(number),
                "showlegend": cell.number == 0,
                "marker": {"size": 13, "symbol": SYMBOLS[number], "color": MODEL_COLORS[number]},
                "customdata": part[["low", "high", "n_users", "n_held_out"]].to_numpy(),
                "hovertemplate": f"{literal(metric)} %{{x:.4f}} [%{{customdata[0]:.4f}}, "
                "%{customdata[1]:.4f}]<br>%{customdata[2]:,} users, "
                "%{customdata[3]:,} held-out items<extra>%{fullData.name}</extra>",
            }
            dots.append(trace | cell.of_trace)
        n_users = panel.drop_duplicates("slice").set_index("slice")["n_users"]
        rows = rows_axis([f"{literal(name)}<br>n = {n_users[name]:,} users" for name in names])
        layout |= cell.axes(_x_axis(metric, cell.number, len(panels)), rows)
        layout["annotations"].append(cell.title(f"<b>{literal(group)}</b>"))
    return go.Figure(data=dots, layout=layout)


def _x_axis(metric: str, number: int, n_panels: int) -> Part:
    """One scale for all panels, labelled below the last one."""
    axis: Part = {"rangemode": "tozero"} | ({"matches": "x"} if number else {})
    if number + 1 < n_panels:
        return axis | {"showticklabels": False}
    return axis | {"title": {"text": f"{literal(metric)} (mean, 95 % interval over users)"}}


def _error(part: pd.DataFrame) -> Part:
    return {
        "type": "data",
        "symmetric": False,
        "array": (part["high"] - part["mean"]).to_numpy(),
        "arrayminus": (part["mean"] - part["low"]).to_numpy(),
        "thickness": 2.5,
        "width": 6,
    }
