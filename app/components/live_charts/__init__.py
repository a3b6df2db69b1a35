"""Plotly charts that the browser updates in place, all in one frame.

``st.plotly_chart`` makes the data a part of a chart's identity: with one more epoch it is a new chart,
which the browser builds from nothing. Every second, for five charts, that flickers, forgets the reader's
zoom and keeps a laptop busy that has a training to run. Here ``Plotly.react`` updates the charts that
are there, with the plotly.js of the installed plotly, so it works offline.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import plotly
import plotly.graph_objects as go
import streamlit as st
from streamlit.components.v1 import declare_component

from app.cached import maps
from app.components.downloads import figure_config

PAGE = Path(__file__).with_name("index.html")
LIBRARY = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
COLUMNS = 6  # of the grid; on a narrow screen every chart has the whole width


@dataclass(frozen=True)
class LiveChart:
    """A chart and its place.

    Attributes:
        key: stays the same while the chart is the same.
        alt: what it shows, in a sentence, for those who cannot see it.
        name: file name of the picture that the camera button saves, without ending.
        span: how many of the grid's ``COLUMNS`` it takes.
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
    _component()(charts=sent, key=key)


@st.cache_resource(show_spinner=False)
def _component() -> Callable[..., Any]:
    """The component, served from a folder that holds its page and plotly.js side by side."""
    folder = maps.CACHE_DIR / "live_charts" / plotly.__version__
    folder.mkdir(parents=True, exist_ok=True)
    for source in (PAGE, LIBRARY):
        shutil.copyfile(source, folder / source.name)
    return declare_component("live_charts", path=str(folder))
