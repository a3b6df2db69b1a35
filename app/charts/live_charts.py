"""Plotly charts that the browser draws once, those near the screen first, and updates in place.

``st.plotly_chart`` draws every new chart twice, and makes the data a part of a chart's identity: with
one more epoch or one chosen point it is a new chart, which the browser builds from nothing. That
flickers, forgets the reader's zoom and keeps a laptop busy that has a training to run. Here
``Plotly.react`` updates the charts that are there, with the plotly.js of the installed plotly, so it
works offline.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import plotly
import plotly.graph_objects as go
import streamlit as st
from plotly.io.json import to_json_plotly

from rednd_core.plots import theme

HERE = Path(__file__).parent
LIBRARY = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
LIBRARY_PATH = f"library/plotly-{plotly.__version__}.min.js"  # where the server has it
LOADER = "chart-library"
SQUARES = HERE / "squares.js"
SCRIPTS = (SQUARES, HERE / "picture.js", HERE / "live_charts.js")  # one module for the browser
WHOLE_ROW = 6  # columns of the grid
PNG_SCALE = 2  # pixels of the PNG a pixel on the screen
SHARED = ("text", "customdata")  # of points, alike in every panel


@dataclass(frozen=True)
class LiveChart:
    """A chart and its place.

    Attributes:
        key: stays the same while the chart is the same.
        alt: what it shows, in a sentence, for those who cannot see it.
        name: file name of the picture that the camera button saves, without ending.
        span: how many of the grid's six columns it takes; all of them on a narrow screen.
        caption: plain text below it.
        about: which run and data, in words that a saved picture carries; see ``downloads.of_runs``.
    """

    key: str
    figure: go.Figure
    alt: str
    name: str
    span: int = WHOLE_ROW
    caption: str = ""
    about: str = ""


def live_charts(
    charts: Sequence[LiveChart],
    *,
    key: str,
    on_pick: Callable[[list[Any]], None] | None = None,
) -> None:
    """Draw ``charts`` in a grid, or bring those drawn under ``key`` up to date.

    Args:
        on_pick: called with the ``customdata`` of the points that a click, a box or a lasso chose,
            as the browser says: to be checked. None: nothing can be chosen.
    """
    sent = [
        {
            "key": chart.key,
            "figure": packed(chart.figure),
            "height": chart.figure.layout.height,
            "squares": squares_of(chart.figure),
            "config": figure_config(chart.name, picks=on_pick is not None),
            "alt": chart.alt,
            "about": chart.about,
            "print": theme.PRINT,
            "span": chart.span,
            "caption": chart.caption,
            "picks": on_pick is not None,
        }
        for chart in charts
    ]
    callbacks = {}
    if on_pick is not None:
        callbacks["on_picked_change"] = lambda: on_pick(st.session_state[key]["picked"])
    _component()(data={"library": LIBRARY_PATH, "charts": sent}, key=key, **callbacks)


def load_library() -> None:
    """Let the browser load the library while the page is still being made."""
    _component()(data={"library": LIBRARY_PATH, "charts": None}, key=LOADER)


def figure_config(name: str, *, picks: bool = False) -> dict[str, Any]:
    """How every figure behaves in the browser; the camera button saves ``name``.png.

    Args:
        picks: box and lasso choose something here.
    """
    return {
        **theme.LOCAL,
        "modeBarButtonsToRemove": [] if picks else ["select2d", "lasso2d"],
        "responsive": True,
        "toImageButtonOptions": {"format": "png", "scale": PNG_SCALE, "filename": name},
    }


def squares_of(figure: go.Figure) -> dict[str, Any] | None:
    """What the height of a figure of square panels depends on; see ``squares.js``."""
    layout = figure.layout
    if not (layout.meta and "squares" in layout.meta):
        return None
    return {
        "meta": layout.meta,
        "margin": layout.margin.to_plotly_json(),
        "height": layout.height,
    }


def packed(figure: go.Figure) -> str:
    """The figure as JSON. Texts and ids are there once, in ``shared``, where traces have the same."""
    parts = figure.to_dict()
    places: dict[str, int] = {}
    for trace in parts["data"]:
        for name in SHARED:
            if isinstance(trace.get(name), (np.ndarray, dict, list, tuple)):
                values = to_json_plotly(trace[name])
                trace[name] = {"shared": places.setdefault(values, len(places))}
    whole = to_json_plotly(parts)
    return f'{whole[:-1]}, "shared": [{", ".join(places)}]}}'


@st.cache_resource(show_spinner=False)
def _component() -> Callable[..., Any]:
    return st.components.v2.component(
        "live_charts",
        html='<div class="live-charts"></div>',
        css=(HERE / "live_charts.css").read_text(encoding="utf-8"),
        js="\n".join(script.read_text(encoding="utf-8") for script in SCRIPTS),
        isolate_styles=False,  # plotly writes its styles into the page
    )
