"""Figures and tables as pictures and as files to take away."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable
from typing import Any, Literal

import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from streamlit.typing import PlotlyState

SelectionMode = Literal["points", "box", "lasso"]
PNG_SCALE = 2  # pixels of the PNG a pixel on the screen


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
    on_select: Literal["ignore", "rerun"] | Callable[[], None] = "ignore",
    selection_mode: SelectionMode | Iterable[SelectionMode] = ("points", "box", "lasso"),
    height: int | None = None,
) -> PlotlyState | None:
    """Draw a figure over the full width, with its camera button and :func:`figure_downloads` below.

    Args:
        alt: what the figure shows, in a sentence, for those who cannot see it.
        name: file name of the downloads, without ending.
        height: pixels; None takes that of the figure.

    Returns:
        The selection, where ``on_select`` is not ``"ignore"``; node ids are in ``customdata``.
    """
    state = st.plotly_chart(
        figure,
        key=key,
        alt=alt,
        theme=None,  # the template of rednd_core.plots.theme reads well on light and dark
        width="stretch",
        height=height or "content",
        config=figure_config(name),
        on_select=on_select,
        selection_mode=selection_mode,
    )
    figure_downloads(figure, name, key)
    return None if on_select == "ignore" else state


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


def figure_config(name: str) -> dict[str, Any]:
    """How every figure behaves in the browser; the camera button saves ``name``.png."""
    return {
        "displaylogo": False,
        "responsive": True,
        "toImageButtonOptions": {"format": "png", "scale": PNG_SCALE, "filename": name},
    }


def _offline_html(figure: go.Figure, name: str) -> bytes:
    body = figure.to_html(include_plotlyjs=True, full_html=False, config=figure_config(name))
    title = html.escape(name)
    page = f"<!doctype html><html><head><meta charset='utf-8'><title>{title}</title></head>"
    return f"{page}<body>{body}</body></html>".encode()
