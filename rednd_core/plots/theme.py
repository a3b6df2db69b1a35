"""Colours, sizes and one figure template for every chart of the app.

Backgrounds are transparent and the ink is a grey of contrast above 4:1 on white and on near-black, so
that a figure reads in light and dark pages and in an exported file. Type is large enough for the back
of a lecture hall.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache

import plotly.graph_objects as go
from plotly.colors import sample_colorscale

# Twelve colours (and OTHER) at least 22 apart in CIELAB, where 2.3 is just noticeable, in normal
# vision, protanopia, deuteranopia and tritanopia alike. Found by a search for the largest least
# distance among colours that stand out from both a white and a near-black page; the tests measure it.
# The first three also have a contrast of about 3:1 on both pages.
CATEGORICAL: tuple[str, ...] = (
    "#9955FF",
    "#DD7722",
    "#44AA66",
    "#992277",
    "#FFBB11",
    "#00DDFF",
    "#8822AA",
    "#006644",
    "#5500FF",
    "#99DD77",
    "#665500",
    "#8899FF",
)
# Users and items have the first two wherever they stand beside each other. Runs, losses and modalities
# take PLAIN and a dash or marker, layers :func:`layer_colors`.
USERS, ITEMS = CATEGORICAL[:2]
SIDES = {"user": USERS, "item": ITEMS}  # as categories, too
PLAIN: tuple[str, ...] = ("#339966", "#A8107F", "#6B4A2B", "#FF66EC")  # as far apart, those two too
LAYERS = ("#63D0BE", "#2F9BB0", "#265A8C")  # between these, from the first layer to the last
OTHER = "#8C8C8C"  # categories beyond the palette, and nodes without a value
SEQUENTIAL = "Viridis"  # continuous values; perceptually even, safe for colour blindness

INK = "#797979"  # text and frames, on light and on dark
PRINT = "#1D1A26"  # instead of INK, on the
PAPER = "#FFFFFF"  # of an exported file
GRID = "rgba(128,128,128,0.22)"
ACCENT = "#FF2E93"  # the ring around selected nodes
WARNING = "#D95F02"
LOCAL = {"displaylogo": False, "showSendToCloud": False}
"""Of every figure's configuration: no button uploads anything, as hover texts hold the names of users."""

FONT = (
    "Source Sans, Open Sans, verdana, arial, sans-serif"  # the app's own; elsewhere what is there
)
FONT_SIZE = 16
TITLE_SIZE = 20
TICK_SIZE = 14


@cache
def template() -> go.layout.Template:
    """The template to pass as ``layout.template``; a figure takes a copy of it."""
    axis = {
        "gridcolor": GRID,
        "zerolinecolor": GRID,
        "linecolor": INK,
        "tickfont": {"size": TICK_SIZE},
        "title": {"font": {"size": FONT_SIZE}},
        "automargin": True,
    }
    return go.layout.Template(
        layout={
            "font": {"family": FONT, "size": FONT_SIZE, "color": INK},
            "title": {"font": {"size": TITLE_SIZE}, "x": 0.0, "xanchor": "left"},
            "colorway": list(CATEGORICAL),
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "xaxis": axis,
            "yaxis": axis,
            "legend": {"font": {"size": TICK_SIZE}, "itemsizing": "constant"},
            "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": INK, "activecolor": ACCENT},
            "hoverlabel": {"font": {"size": TICK_SIZE}, "align": "left"},
            "annotationdefaults": {"font": {"size": FONT_SIZE, "color": INK}},
            "margin": {"l": 48, "r": 16, "t": 64, "b": 48},
        }
    )


def on_paper(figure: go.Figure) -> go.Figure:
    """A copy for a file: dark on white."""
    layout = json.loads(figure.layout.to_json().replace(INK, PRINT))
    layout |= {"paper_bgcolor": PAPER, "plot_bgcolor": PAPER}
    return go.Figure(data=figure.data, layout=layout, frames=figure.frames)


def category_colors(values: Iterable[str], order: Sequence[str] | None = None) -> dict[str, str]:
    """Colour of every category, in legend order.

    Args:
        values: the category of every point.
        order: legend order to keep, e.g. that of another chart; None sorts by frequency, then name.

    Returns:
        Category -> colour; the first twelve have their own, all others share :data:`OTHER`.
    """
    if order is None:
        counts = Counter(values)
        order = sorted(counts, key=lambda name: (-counts[name], name))
    if order and set(order) <= set(SIDES):  # items may be more frequent than users
        return {name: SIDES[name] for name in order}
    return {
        name: CATEGORICAL[place] if place < len(CATEGORICAL) else OTHER
        for place, name in enumerate(order)
    }


def layer_colors(n: int) -> list[str]:
    """``n`` colours from light to dark, all of which stand out from a light and from a dark page."""
    shares = [layer / max(1, n - 1) for layer in range(n)]
    found = sample_colorscale(list(LAYERS), shares, colortype="tuple")
    return ["#" + "".join(f"{round(255 * part):02X}" for part in color) for color in found]
