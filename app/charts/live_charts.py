"""Plotly charts that the browser draws once, charts near the screen first, and updates in place.

``st.plotly_chart`` draws every new chart twice, and takes a chart with other data for a new chart: after
one more epoch or one chosen point the browser builds the chart from nothing. Such a chart flickers,
loses the reader's zoom and takes processor time from a training. Here ``Plotly.react`` updates the
charts in place. The plotly.js is that of the installed plotly, so the charts work offline.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import plotly
import streamlit as st

from app.charts.drawn import Drawn
from rednd_core.plots import theme

HERE = Path(__file__).parent
LIBRARY = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
LIBRARY_PATH = f"library/plotly-{plotly.__version__}.min.js"  # its address on the server
LOADER = "chart-library"
SQUARES = HERE / "squares.js"
SCRIPTS = (
    SQUARES,
    HERE / "picture.js",
    HERE / "live_charts.js",
)  # the browser gets them as one module
WHOLE_ROW = 6  # columns of the grid
PNG_SCALE = 2  # pixels of the PNG for each pixel on the screen


@dataclass(frozen=True)
class LiveChart:
    """A chart and its place on the page.

    Attributes:
        key: tells the browser which chart to update.
        alt: what the chart shows, in a sentence, for readers who cannot see it.
        name: file name of the picture that the camera button saves, without ending.
        span: how many of the grid's six columns it takes; all of them on a narrow screen.
        caption: plain text below the chart.
        about: run and data in words, for a saved picture; see ``downloads.of_runs``.
    """

    key: str
    drawn: Drawn
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
        on_pick: called with the ``customdata`` of the points that a click, a box or a lasso chose. The
            values come from the browser, so the callee checks them. None: nothing can be chosen.
    """
    sent = [
        {
            "key": chart.key,
            "figure": chart.drawn.packed.text,
            "height": chart.drawn.packed.height,
            "squares": chart.drawn.packed.squares,
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
        picks: whether a box and a lasso choose points of this figure.
    """
    return {
        **theme.LOCAL,
        "modeBarButtonsToRemove": [] if picks else ["select2d", "lasso2d"],
        "responsive": True,
        "toImageButtonOptions": {"format": "png", "scale": PNG_SCALE, "filename": name},
    }


@st.cache_resource(show_spinner=False)
def _component() -> Callable[..., Any]:
    return st.components.v2.component(
        "live_charts",
        html='<div class="live-charts"></div>',
        css=(HERE / "live_charts.css").read_text(encoding="utf-8"),
        js="\n".join(script.read_text(encoding="utf-8") for script in SCRIPTS),
        isolate_styles=False,  # Plotly writes its styles into the page, outside of a shadow tree.
    )
