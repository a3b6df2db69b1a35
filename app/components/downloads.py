"""Figures and tables as pictures and as files to take away."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from app.components.live_charts import LiveChart, figure_config, live_charts


def csv_button(
    frame: pd.DataFrame | Callable[[], pd.DataFrame], file_name: str, label: str, key: str
) -> None:
    """A button that downloads ``frame`` as UTF-8 CSV, written when it is pressed.

    Args:
        frame: with original ids in columns; the index is not written. A function makes it when the
            button is pressed, for what has a row for every user, item or pair.
        file_name: e.g. ``"runs.csv"``.
    """
    st.download_button(
        label,
        lambda: (frame() if callable(frame) else frame).to_csv(index=False).encode("utf-8"),
        file_name=file_name,
        mime="text/csv",
        key=key,
        on_click="ignore",
        icon=":material/download:",
    )


def show_figure(
    figure: go.Figure,
    *,
    key: str,
    alt: str,
    name: str,
    on_pick: Callable[[list[Any]], None] | None = None,
) -> None:
    """Draw a figure over the full width, with its camera button and :func:`figure_downloads` below.

    Args:
        alt: what the figure shows, in a sentence, for those who cannot see it.
        name: file name of the downloads, without ending.
        on_pick: see :func:`app.components.live_charts.live_charts`.
    """
    live_charts([LiveChart(key, figure, alt, name)], key=key, on_pick=on_pick)
    figure_downloads(figure, name, key)


def figure_downloads(figure: go.Figure, name: str, key: str) -> None:
    """A button that downloads the figure as one HTML file that works offline; built when pressed.

    :func:`show_figure` calls it; call it alone only for figures that are drawn in another way.
    """
    st.download_button(
        "Interactive figure (HTML)",
        lambda: _offline_html(figure, name),
        file_name=f"{name}.html",
        mime="text/html",
        key=f"{key}-html",
        on_click="ignore",
        type="tertiary",
        icon=":material/download:",
        help="One file of about 5 MB that opens without this app and without internet. For a PNG, "
        "use the camera button above the figure.",
    )


def _offline_html(figure: go.Figure, name: str) -> bytes:
    body = figure.to_html(include_plotlyjs=True, full_html=False, config=figure_config(name))
    title = html.escape(name)
    page = f"<!doctype html><html><head><meta charset='utf-8'><title>{title}</title></head>"
    return f"{page}<body>{body}</body></html>".encode()
