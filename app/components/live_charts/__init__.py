"""Plotly charts that the browser updates in place.

``st.plotly_chart`` makes the data a part of a chart's identity: with one more epoch it is a new chart,
which the browser builds from nothing. Every second, for five charts, that flickers, forgets the reader's
zoom and keeps a laptop busy that has a training to run. Here ``Plotly.react`` updates the charts that
are there, with the plotly.js of the installed plotly, so it works offline.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import plotly
import plotly.graph_objects as go
import streamlit as st

from app.components.downloads import figure_config

HERE = Path(__file__).parent
LIBRARY = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
LIBRARY_PATH = f"library/plotly-{plotly.__version__}.min.js"  # where the server has it


@dataclass(frozen=True)
class LiveChart:
    """A chart and its place.

    Attributes:
        key: stays the same while the chart is the same.
        alt: what it shows, in a sentence, for those who cannot see it.
        name: file name of the picture that the camera button saves, without ending.
        span: how many of the grid's six columns it takes; all of them on a narrow screen.
        caption: plain text below it.
    """

    key: str
    figure: go.Figure
    alt: str
    name: str
    span: int
    caption: str = ""


def live_charts(charts: Sequence[LiveChart], *, key: str) -> None:
    """Draw ``charts`` in a grid, or bring those drawn under ``key`` up to date."""
    sent = [
        {
            "key": chart.key,
            "figure": chart.figure.to_json(validate=False),
            "config": figure_config(chart.name),
            "alt": chart.alt,
            "span": chart.span,
            "caption": chart.caption,
        }
        for chart in charts
    ]
    _component()(data={"library": LIBRARY_PATH, "charts": sent}, key=key)


def load_ahead() -> None:
    """Let an idle browser load the library, seconds of work on a laptop, before a chart needs it."""
    _component()(data={"library": LIBRARY_PATH, "charts": None}, key="live_charts.library")


@st.cache_resource(show_spinner=False)
def _component() -> Callable[..., Any]:
    return st.components.v2.component(
        "live_charts",
        html='<div class="live-charts"></div>',
        css=(HERE / "live_charts.css").read_text(encoding="utf-8"),
        js=(HERE / "live_charts.js").read_text(encoding="utf-8"),
        isolate_styles=False,  # plotly writes its styles into the page
    )
