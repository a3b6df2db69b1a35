"""Charts of a data set: how many interactions users and items have, and how unequal items are."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from rednd_core.data.report import gini
from rednd_core.data.schema import FloatArray, IntArray
from rednd_core.plots import theme
from rednd_core.plots.smoothness import SIDE_STYLES

HEIGHT = 310  # title, plot and axis end on the first screen of a projector


def degree_figure(user_degrees: IntArray, item_degrees: IntArray) -> go.Figure:
    """Share of users, and of items, with at least k train interactions, on two logarithmic axes.

    Nodes without any interaction have no place on such an axis; they lower the share at k = 1.
    """
    traces = []
    for side, degrees in (("users", user_degrees), ("items", item_degrees)):
        k, share = ccdf(degrees)
        style = SIDE_STYLES[side]
        traces.append(
            {
                "type": "scatter",
                "x": k,
                "y": share,
                "mode": "lines+markers",
                "name": f"{side} (n = {len(degrees):,})",
                "line": {"color": style.color, "dash": style.dash, "width": 3, "shape": "vh"},
                "marker": {"symbol": style.symbol, "size": 7},
                "customdata": np.rint(share * len(degrees)).astype(int),
                "hovertemplate": f"%{{customdata:,}} of {len(degrees):,} {side} (%{{y:.1%}}) have "
                "%{x} or more<extra></extra>",
            }
        )
    k_title, share_title = "train interactions k, at least", "share with k or more"
    layout = {
        "template": theme.template(),
        "height": HEIGHT,
        "title": {"text": "How many interactions they have"},
        "legend": {"x": 0.02, "y": 0.02, "yanchor": "bottom"},
        "xaxis": {"title": {"text": k_title}, "minor": _MINOR, **_DECADES},
        "yaxis": {"title": {"text": share_title}, "tickformat": ".3~%", **_DECADES},
    }
    return go.Figure(data=traces, layout=layout)


def lorenz_figure(item_degrees: IntArray) -> go.Figure:
    """Share of the train interactions that the most popular items have, beside equality."""
    items, interactions = lorenz(item_degrees)
    style = SIDE_STYLES["items"]
    equality = {
        "type": "scatter",
        "x": [0, 1],
        "y": [0, 1],
        "mode": "lines",
        "name": "all items alike",
        "line": {"color": theme.INK, "dash": "dot", "width": 2},
        "hoverinfo": "skip",
    }
    curve = {
        "type": "scatter",
        "x": items,
        "y": interactions,
        "mode": "lines",
        "name": "this data set",
        "line": {"color": style.color, "width": 3},
        "fill": "tonexty",
        "hovertemplate": "the most popular %{x:.1%} of the items have %{y:.1%} of the "
        "interactions<extra></extra>",
    }
    # Clear of the corner, where both axes begin, and of the right edge, where "100%" would be left out.
    share = {"range": [0, 1], "tickformat": ".0%", "dtick": 0.25, "ticklabelstandoff": 6}
    x_title, y_title = (
        f"most popular of {len(item_degrees):,} items",
        f"of {int(item_degrees.sum()):,} interactions",
    )
    layout = {
        "template": theme.template(),
        "height": HEIGHT,
        "title": {"text": f"Popularity: Gini {gini(item_degrees):.2f}"},
        "margin": {"r": 32},
        "legend": {"x": 0.98, "xanchor": "right", "y": 0.02, "yanchor": "bottom"},
        "xaxis": {"title": {"text": x_title}, **share},
        "yaxis": {"title": {"text": y_title}, **share},
    }
    return go.Figure(data=[equality, curve], layout=layout)


def ccdf(degrees: IntArray) -> tuple[IntArray, FloatArray]:
    """Distinct degrees k >= 1, and the share of all (n,) nodes with a degree of k or more."""
    k, counts = np.unique(degrees[degrees > 0], return_counts=True)
    at_least = counts[::-1].cumsum()[::-1]
    return k, (at_least / max(len(degrees), 1)).astype(np.float32)


def lorenz(degrees: IntArray, points: int = 401) -> tuple[FloatArray, FloatArray]:
    """Share of items, most popular first, and share of interactions that they have; both 0 to 1.

    At most ``points`` of the n + 1 corners of the curve, ends included.
    """
    total = max(int(degrees.sum()), 1)
    cumulated = np.concatenate([[0], np.sort(degrees)[::-1].cumsum()]) / total
    corners = np.unique(np.linspace(0, len(degrees), min(points, len(degrees) + 1)).astype(int))
    shares = corners / max(len(degrees), 1)
    return shares.astype(np.float32), cumulated[corners].astype(np.float32)


_DECADES = {"type": "log", "dtick": 1}
_MINOR = {"ticks": "", "showgrid": True, "gridcolor": "rgba(128,128,128,0.1)"}
