"""Figures on a page, and figures and tables as files."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from app.charts.drawn import Drawn
from app.charts.live_charts import SQUARES, LiveChart, figure_config, live_charts
from rednd_core.modeling.registry import model_title
from rednd_core.plots import theme
from rednd_core.runs import Run
from rednd_core.spreadsheets import to_csv

# The style of a page with an exported figure: the words of the app above it, and a line for the toolbar.
PAGE_STYLE = """
body { margin: 16px; background: #FFFFFF; font: 16px/1.5 "Source Sans", "Open Sans", sans-serif; }
p { margin: 0; } p:first-child { font-weight: bold; }
.js-plotly-plot { margin-top: 36px; } .modebar-container { top: -32px !important; }
"""
# Square panels fill the width of the window, and are at most three quarters of its height.
ARRANGE = """
const plot = document.getElementById("{plot_id}");
const sent = structuredClone(plot.layout);
const fit = () => {
  sent.meta.squares.side = Math.round(0.75 * innerHeight);
  Plotly.relayout(plot, arranged(sent, document.body.clientWidth));
};
fit();
addEventListener("resize", fit);
"""


def csv_button(
    frame: pd.DataFrame | Callable[[], pd.DataFrame], file_name: str, label: str, key: str
) -> None:
    """A button that downloads ``frame`` as UTF-8 CSV for spreadsheets, written when it is pressed.

    Args:
        frame: with original ids in columns; the index is not written. A function makes it when the
            button is pressed, for what has a row for every user, item or pair.
        file_name: e.g. ``"runs.csv"``.
    """
    st.download_button(
        label,
        lambda: to_csv(frame() if callable(frame) else frame).encode("utf-8"),
        file_name=file_name,
        mime="text/csv",
        key=key,
        on_click="ignore",
        icon=":material/download:",
    )


def show_figure(
    drawn: Drawn,
    *,
    key: str,
    alt: str,
    name: str,
    runs: Sequence[Run] = (),
    on_pick: Callable[[list[Any]], None] | None = None,
) -> None:
    """Draw a figure over the full width, with its camera button and :func:`figure_downloads` below.

    Args:
        alt: what the figure shows, in a sentence, for readers who cannot see it.
        name: file name of the downloads, without ending.
        runs: the runs that the figure shows; the downloads name them.
        on_pick: see :func:`app.charts.live_charts.live_charts`.
    """
    chart = LiveChart(key, drawn, alt, name, about=of_runs(*runs))
    live_charts([chart], key=key, on_pick=on_pick)
    figure_downloads(chart, key)


def of_runs(*runs: Run) -> str:
    """The runs with their models and data in words, for an exported figure."""
    return " | ".join(map(_of_run, runs))


def _of_run(run: Run) -> str:
    config, data = run.record.config, run.record.data
    words = f"Run {run.name}: {model_title(config.model)}"
    if data is None:
        return words
    return f"{words} on {data.name}, {data.n_users:,} users, {data.n_items:,} items"


def figure_downloads(chart: LiveChart, key: str) -> None:
    """A button that downloads the figure as one HTML file that works offline, built when it is pressed.

    :func:`show_figure` draws this button already; figures that are drawn in another way need this call.
    """
    st.download_button(
        "Interactive figure (HTML)",
        lambda: _offline_html(chart),
        file_name=f"{chart.name}.html",
        mime="text/html",
        key=f"{key}-html",
        on_click="ignore",
        type="tertiary",
        icon=":material/download:",
        help="One file of 5 MB or more that opens without this app and without internet. For a PNG, "
        "use the camera button above the figure.",
    )


def _offline_html(chart: LiveChart) -> bytes:
    figure = theme.on_paper(chart.drawn.build())
    squares = figure.layout.meta and "squares" in figure.layout.meta
    body = figure.to_html(
        include_plotlyjs=True,
        full_html=False,
        config=figure_config(chart.name),
        post_script=f"{SQUARES.read_text(encoding='utf-8')}{ARRANGE}" if squares else None,
    )
    head = f"<meta charset='utf-8'><title>{html.escape(chart.name)}</title>"
    words = "".join(f"<p>{html.escape(text)}</p>" for text in (chart.about, chart.alt) if text)
    page = f"<!doctype html><html><head>{head}<style>{PAGE_STYLE}</style></head>"
    return f"{page}<body>{words}{body}</body></html>".encode()
