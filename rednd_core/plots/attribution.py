"""Where a score comes from: bars of its parts, and a map of its pairs of layers.

Text from files is escaped: Plotly reads a subset of HTML in labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from rednd_core.plots import theme
from rednd_core.plots.grid import Part, cells
from rednd_core.plots.item_axis import ROW_HEIGHT, axis_label, rows_axis
from rednd_core.plots.text import literal

PATTERNS = ("", "/", ".", "x")
LEGEND = {"orientation": "h", "y": 1, "yanchor": "top", "yref": "container", "x": 0}
DIVERGING = ((0.0, theme.LAYERS[0]), (0.5, "#F4F4F4"), (1.0, theme.LAYERS[1]))
"""Below zero, zero, above zero; neither end is mistaken for zero."""


def parts_bars(parts: pd.DataFrame, whole: float) -> go.Figure:
    """A bar a part of a score, divided by modality, and a last bar for their sum.

    Args:
        parts: (rows, modalities): index the names of the parts, one column a modality.
        whole: the score.
    """
    names = [*parts.index, "score"]
    bars: list[Part] = []
    several = parts.shape[1] > 1
    for number, modality in enumerate(parts.columns):
        values = [*parts[modality], parts[modality].sum()]
        bars.append(
            {
                "type": "bar",
                "x": values,
                "y": list(range(len(names))),
                "orientation": "h",
                "name": literal(modality),
                "marker": {
                    "color": theme.PLAIN[number % len(theme.PLAIN)],
                    "pattern": {
                        "shape": PATTERNS[number % len(PATTERNS)],
                        "fillmode": "overlay",
                        "fgcolor": theme.PAPER,
                        "fgopacity": 0.15,
                    },
                },
                "customdata": [literal(name) for name in names],
                "hovertemplate": f"%{{customdata}}<br>{literal(modality)} %{{x:+.3f}}<extra></extra>",
            }
        )
    totals = [*parts.sum(axis=1), whole]
    notes = [
        {
            "x": max(0.0, *(bar["x"][row] for bar in bars), total),
            "y": row,
            "text": f"{total:+.3f}",
            "showarrow": False,
            "xanchor": "left",
            "xshift": 6,
        }
        for row, total in enumerate(totals)
    ]
    layout = {
        "template": theme.template(),
        "barmode": "relative",
        "height": (120 if several else 90) + ROW_HEIGHT * len(names),
        "margin": {"t": 44 if several else 8, "b": 8, "l": 8, "r": 70},
        "legend": LEGEND,
        "showlegend": several,
        "annotations": notes,
        "shapes": [
            {"type": "line", "x0": 0, "x1": 1, "xref": "paper", "y0": len(names) - 1.5,
             "y1": len(names) - 1.5, "line": {"color": theme.INK, "width": 1}}
        ],
        "xaxis": {"title": {"text": "part of the score (no unit)"}, "zeroline": True,
                  "zerolinecolor": theme.INK},
        "yaxis": rows_axis([axis_label(name) for name in names]),
    }  # fmt: skip
    return go.Figure(data=bars, layout=layout)


def layer_pairs_figure(
    by_layers: Mapping[str, NDArray[np.float64]], by_item_graph: Mapping[str, NDArray[np.float64]]
) -> go.Figure:
    """The part of the score of every pair (layer of the user, layer of the item), one panel a modality.

    Args:
        by_layers: modality -> (L + 1, L + 1): row the user's layer, column the item's.
        by_item_graph: modality -> (L + 1,): the item graph's part by the user's layer, drawn as a last
            column where it is not zero everywhere.
    """
    tables = {}
    for modality, pairs in by_layers.items():
        graph = by_item_graph.get(modality)
        drawn = graph is not None and float(np.abs(graph).max(initial=0.0)) > 1e-9
        tables[modality] = pairs if graph is None or not drawn else np.column_stack([pairs, graph])
    largest = max((float(np.abs(t).max(initial=0.0)) for t in tables.values()), default=0.0) or 1.0
    rows = max(len(table) for table in tables.values())
    layout: Part = {
        "template": theme.template(),
        "height": (110 + 44 * rows) * len(tables),
        "margin": {"t": 40, "b": 8, "l": 8, "r": 8},
        "annotations": [],
    }
    data: list[Part] = []
    grid = cells(len(tables), 1, vertical=0.36 if len(tables) > 1 else 0)
    for cell, (modality, table) in zip(grid, tables.items(), strict=True):
        n = len(table)
        columns = [str(b) for b in range(n)] + ["item graph"] * (table.shape[1] - n)
        trace = {
            "type": "heatmap",
            "z": table.tolist(),
            "x": columns,
            "y": [str(a) for a in range(n)],
            "zmin": -largest,
            "zmax": largest,
            "colorscale": DIVERGING,
            "showscale": False,
            "text": _signed(table),
            "texttemplate": "%{text}",
            "textfont": {"color": theme.PRINT},
            "xgap": 2,
            "ygap": 2,
            "hovertemplate": "user's layer %{y}, item's %{x}: %{z:+.4f}<extra></extra>",
        }
        data.append(trace | cell.of_trace)
        last = cell.number + 1 == len(tables)
        layout |= cell.axes(
            {"type": "category", "title": {"text": "layer of the item" if last else ""}},
            {"type": "category", "title": {"text": "layer of the user"}, "autorange": "reversed"},
        )
        share = table.sum()
        layout["annotations"].append(cell.title(f"<b>{literal(modality)}</b>, sum {share:+.3f}"))
    return go.Figure(data=data, layout=layout)


def moves_figure(
    titles: Sequence[str], before: NDArray[np.int64], after: NDArray[np.int64],
    held_out: NDArray[np.bool_], k: int,
) -> go.Figure:  # fmt: skip
    """Ranks before and after a change: a line an item, held-out items thick.

    Args:
        titles, before, after, held_out: (n,) of each item; a rank of 0 is none, and its end is not drawn.
    """
    lines = []
    for title, was, now, held in zip(titles, before, after, held_out, strict=True):
        color = theme.PLAIN[2] if held else theme.PLAIN[0]
        told = " → ".join(f"{rank:,}" if rank else "in the history" for rank in (was, now))
        lines.append(
            {
                "type": "scatter",
                "x": [0, 1],
                "y": [rank or None for rank in (was, now)],
                "mode": "lines+markers",
                "line": {"color": color, "width": 4 if held else 1.5},
                "marker": {"size": 11 if held else 8, "symbol": "diamond" if held else "circle"},
                "opacity": 1 if held else 0.75,
                "showlegend": False,
                "hovertemplate": f"{literal(title)}<br>rank {told}<extra></extra>",
            }
        )
    ranks = np.concatenate([before, after])
    deepest = float(max(k + 1, ranks.max(initial=1)))
    layout = {
        "template": theme.template(),
        "height": 420,
        "margin": {"t": 8, "b": 8, "l": 8},
        "xaxis": {"tickvals": [0, 1], "ticktext": ["before", "after"], "range": [-0.15, 1.15]},
        "yaxis": {
            "title": {"text": "rank (log scale)"},
            "type": "log",
            "range": [float(np.log10(deepest * 1.3)), float(np.log10(0.8))],
            "tickvals": [10**power for power in range(8) if 10**power <= deepest],
        },
        "shapes": [
            {"type": "rect", "xref": "paper", "x0": 0, "x1": 1, "y0": 0.8, "y1": k + 0.5,
             "fillcolor": theme.INK, "opacity": 0.14, "line": {"width": 0}}
        ],
    }  # fmt: skip
    return go.Figure(data=lines, layout=layout)


def _signed(table: NDArray[np.float64]) -> list[list[str]]:
    return [[f"{value:+.2f}" for value in row] for row in table]
