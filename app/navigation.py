"""The one map of the pages."""

from __future__ import annotations

import streamlit as st

from app.cached import prewarm
from app.views import home
from rednd_core.config import PROJECT_ROOT

PAGES = {
    "embeddings": ("1_Embeddings.py", "Embeddings", ":material/scatter_plot:"),
    "smoothness": ("2_Smoothness.py", "Smoothness", ":material/blur_on:"),
    "recommendations": ("3_Recommendations.py", "Recommendations", ":material/recommend:"),
    "training": ("4_Training.py", "Live training", ":material/play_circle:"),
    "data": ("5_Data.py", "Data", ":material/table_view:"),
}


def run() -> None:
    """Set up the browser page, show the menu, run the chosen page."""
    st.set_page_config(
        page_title="RedNⁿD · see over-smoothing", page_icon=":material/hub:", layout="wide"
    )
    prewarm()
    home_page = st.Page(home.render, title="Home", icon=":material/home:", default=True)
    others = [
        st.Page(PROJECT_ROOT / "pages" / file, title=title, icon=icon, url_path=path)
        for path, (file, title, icon) in PAGES.items()
    ]
    st.navigation([home_page, *others]).run()
