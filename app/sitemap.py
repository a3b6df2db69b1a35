"""The pages beside Home, and links to them."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import streamlit as st

from rednd_core.config import PROJECT_ROOT

PAGES = {
    "learn": ("7_Learn.py", "Learn", ":material/school:"),
    "depth": ("6_Depth.py", "Depth", ":material/layers:"),
    "embeddings": ("1_Embeddings.py", "Embeddings", ":material/scatter_plot:"),
    "smoothness": ("2_Smoothness.py", "Smoothness", ":material/blur_on:"),
    "recommendations": ("3_Recommendations.py", "Recommendations", ":material/recommend:"),
    "explain": ("8_Explain.py", "Explain", ":material/troubleshoot:"),
    "training": ("4_Training.py", "Live training", ":material/play_circle:"),
    "data": ("5_Data.py", "Data", ":material/table_view:"),
}


def page_file(name: str) -> Path:
    """The script of a page, as ``st.Page`` and ``st.switch_page`` take it."""
    return PROJECT_ROOT / "pages" / PAGES[name][0]


def page_link(name: str) -> None:
    """A link to a page under its own title."""
    _, title, icon = PAGES[name]
    st.page_link(page_file(name), label=title, icon=icon)


def go_to(name: str) -> NoReturn:
    """Open a page now; the address keeps nothing of the present one."""
    # Without parameters Streamlit raises while a widget is bound to the address.
    st.switch_page(page_file(name), query_params={})
