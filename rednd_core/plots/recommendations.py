"""Charts of one user's recommendations: standing among all users, ranks, categories.

Text from files is escaped: Plotly reads a subset of HTML in labels. Hits and misses, and two models,
differ by shape as well as by colour.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from rednd_core import wording
from rednd_core.plots import theme
from rednd_core.plots.grid import Part
from rednd_core.plots.item_axis import ROW_HEIGHT, axis_label, rows_axis
from rednd_core.plots.text import literal

N_BINS = 20
SYMBOLS = ("circle", "diamond")  # of the first and of the second model
MODEL_COLORS = theme.PLAIN[:2]
LEGEND_ON_TOP = {"orientation": "h", "y": 1, "yanchor": "top", "yref": "container", "x": 0}


def standing_figure(values: NDArray[np.float64], value: float, metric: str) -> go.Figure:
    """Histogram of a metric over all users, a line where one of them stands.

    Args:
        values: (n_users,) in 0..1. value: the one user's.
    """
    counts, edges = np.histogram(values, bins=N_BINS, range=(0.0, 1.0))
    bars = {
        "type": "bar",
        "x": (edges[:-1] + edges[1:]) / 2,
        "y": counts,
        "width": 1 / N_BINS,
        "marker": {"color": theme.USERS},
        "customdata": np.column_stack([edges[:-1], edges[1:]]),
        "hovertemplate": "%{customdata[0]:.2f} to %{customdata[1]:.2f}: %{y:,} users"
        "<extra></extra>",
    }
    line = {
        "type": "line",
        "x0": value,
        "x1": value,
        "y0": 0,
        "y1": 1,
        "yref": "paper",
        "line": {"color": theme.ACCENT, "width": 3},
    }
    note = {
        "x": value,
        "y": 1.0,
        "yref": "paper",
        "yanchor": "bottom",
        "xanchor": "left" if value < 0.5 else "right",
        "showarrow": False,
        "text": f"<b>this user {wording.metric(value)}</b>",
    }
    layout = {
        "template": theme.template(),
        "height": 230,
        "margin": {"t": 28, "b": 8, "l": 8},
        "showlegend": False,
        "shapes": [line],
        "annotations": [note],
        "xaxis": {"title": {"text": f"{literal(metric)} of a user"}, "range": [-0.03, 1.03]},
        "yaxis": {"title": {"text": f"users (of {len(values):,})"}, "nticks": 4},
    }
    return go.Figure(data=[bars], layout=layout)


def mix_figure(mixes: Mapping[str, Sequence[str]]) -> go.Figure:
    """One stacked bar a list: how its items divide into categories.

    Args:
        mixes: name of the list -> category of every item in it; empty lists are drawn empty.
    """
    every = [category for categories in mixes.values() for category in categories]
    totals = [max(1, len(categories)) for categories in mixes.values()]
    names = [f"{literal(name)}<br>(n = {len(mixes[name]):,})" for name in mixes]
    bars = []
    for category, color in theme.category_colors(every).items():
        counts = [list(categories).count(category) for categories in mixes.values()]
        label = literal(category or "no category")
        bars.append(
            {
                "type": "bar",
                "x": [100 * count / total for count, total in zip(counts, totals, strict=True)],
                "y": names,
                "orientation": "h",
                "name": label,
                "marker": {
                    "color": color,
                    "line": {"color": "rgba(128,128,128,0.6)", "width": 1},
                },
                "text": [f"{label} {count}" if count else "" for count in counts],
                "textposition": "inside",
                "insidetextanchor": "middle",
                "insidetextfont": {"color": theme.text_on(color)},
                "textangle": 0,
                "hovertemplate": f"{label}: %{{customdata}} items, %{{x:.0f}} %<extra></extra>",
                "customdata": counts,
            }
        )
    layout = {
        "template": theme.template(),
        "barmode": "stack",
        "height": 180 + 58 * len(mixes),
        "margin": {"t": 8, "b": 8, "l": 8},
        "legend": {
            "orientation": "h",
            "y": -0.3,
            "yanchor": "top",
            "x": 0,
            "traceorder": "normal",
        },
        "uniformtext": {"minsize": 12, "mode": "hide"},  # the legend names what is too narrow
        "xaxis": {"title": {"text": "share of the list (%)"}, "range": [0, 100]},
        "yaxis": {"autorange": "reversed"},
    }
    return go.Figure(data=bars, layout=layout)


def ranks_figure(table: pd.DataFrame, k: int, n_candidates: int) -> go.Figure:
    """Where the held-out items ended up, one row an item and one symbol a model.

    Args:
        table: ``item``, ``title``, ``model``, ``rank`` (1 = best); one row an item and model, of at
            most two models.
        k: length of the list; a symbol is filled where the item is listed.
        n_candidates: items that were ranked.
    """
    titles = dict(zip(table["item"], table["title"], strict=True))
    row_of = {item: row for row, item in enumerate(titles)}
    dots = [
        {
            "type": "scatter",
            "x": part["rank"].to_numpy(),
            "y": [row_of[item] for item in part["item"]],
            "mode": "markers",
            "name": literal(model),
            "marker": {
                "size": 15,
                "color": MODEL_COLORS[number],
                "symbol": [
                    SYMBOLS[number] + ("" if rank <= k else "-open") for rank in part["rank"]
                ],
                "line": {"width": 3, "color": MODEL_COLORS[number]},
            },
            "cliponaxis": False,  # the last ranks touch the frame
            "text": [literal(title) for title in part["title"]],
            "hovertemplate": "%{text}<br>rank %{x:,}<extra>%{fullData.name}</extra>",
        }
        for number, (model, part) in enumerate(table.groupby("model", sort=False))
    ]
    several = len(dots) > 1
    layout = {
        "template": theme.template(),
        "height": (210 if several else 150) + ROW_HEIGHT * len(titles),
        "margin": {"t": 100 if several else 40, "b": 8, "l": 8},  # two lines of legend on a phone
        "legend": LEGEND_ON_TOP,
        "showlegend": several,
        "xaxis": _rank_axis(max(n_candidates, k + 1), f"rank of {n_candidates:,} (log scale)"),
        "yaxis": rows_axis([axis_label(title) for title in titles.values()]),
        "shapes": [
            {
                "type": "rect",
                "x0": 0.8,
                "x1": k + 0.5,
                "y0": 0,
                "y1": 1,
                "yref": "paper",
                "fillcolor": theme.INK,
                "opacity": 0.14,
                "line": {"width": 0},
            }
        ],
        "annotations": [
            {
                "x": 0,
                "xref": "paper",
                "y": 1,
                "yref": "paper",
                "xanchor": "left",
                "yanchor": "bottom",
                "showarrow": False,
                "text": f"listed: rank 1 to {k}",
            }
        ],
    }
    return go.Figure(data=dots, layout=layout)


def _rank_axis(top: int, title: str) -> Part:
    """A logarithmic axis of the ranks 1 to ``top``."""
    return {
        "title": {"text": title},
        "type": "log",
        "range": [float(np.log10(0.8)), float(np.log10(top * 1.15))],
        "tickvals": [10**power for power in range(8) if 10**power <= top],
        "tickangle": 0,
    }
