"""Colours, sizes and one figure template for every chart of the app.

Backgrounds are transparent. Every line has a contrast of at least 3:1 on a white and on a near-black
page. No colour has 4.5:1, which text needs, on both: so the app gives the text of a figure the colour of
the page's text (app/charts/live_charts.css), and a file is dark on white. Type is large enough for the
back of a lecture hall.
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
# The first three also have a contrast of 3:1 on both pages, which lines need; twelve such colours could
# not be told apart.
CATEGORICAL: tuple[str, ...] = (
    "#9955FF",
    "#DD7722",
    "#3FA563",
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
# take PLAIN and a dash or marker, layers :func:`layer_colors`; both sets are from the same search, among
# colours of a contrast of 3:1 on both pages.
USERS, ITEMS = CATEGORICAL[:2]
SIDES = {"user": USERS, "item": ITEMS}  # the same two as categories
PLAIN: tuple[str, ...] = ("#4B96E1", "#A53C87", "#D2003C", "#B48787")
LAYERS = ("#4B96E1", "#C31E3C")  # from the first layer to the last: cold to hot
OTHER = "#8C8C8C"  # categories beyond the palette, and nodes without a value
SEQUENTIAL = "Viridis"  # continuous values; perceptually even, safe for colour blindness

INK = "#797979"  # frames and neutral lines; text where nothing else is known of the page
PAPER = "#FFFFFF"  # background of an exported file and of hover labels
PRINT = "#1D1A26"  # text there
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
            "hoverlabel": {
                "font": {"size": TICK_SIZE, "color": PRINT},
                "bgcolor": PAPER,
                "bordercolor": INK,
                "align": "left",
                "namelength": -1,  # a shortened name could end within an escaped character
            },
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


def text_on(color: str) -> str:
    """Black or white, whichever has the larger contrast on ``color``; it is at least 4.58:1.

    Contrast and luminance are those of WCAG 2.1.
    """
    shares = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    black, white = (luminance + 0.05) / 0.05, 1.05 / (luminance + 0.05)
    return "#000000" if black > white else "#FFFFFF"


def layer_colors(n: int) -> list[str]:
    """``n`` colours from cold to hot, all of which stand out from a light and from a dark page."""
    shares = [layer / max(1, n - 1) for layer in range(n)]
    found = sample_colorscale(list(LAYERS), shares, colortype="tuple")
    return ["#" + "".join(f"{round(255 * part):02X}" for part in color) for color in found]
