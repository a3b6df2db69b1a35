"""The menu, and the frame around every page."""

from __future__ import annotations

import streamlit as st

from app import warm
from app.components.live_charts import load_ahead
from app.sitemap import PAGES, page_file
from app.views import home
from rednd_core.config import PROJECT_ROOT

STYLE = """<style>
.stMainBlockContainer { padding-top: 3rem; }  /* room for the picture */
/* The ink of figures reads on light and on dark files; on a page it can have the page's full contrast. */
.js-plotly-plot text[style*="rgb(121, 121, 121)"] { fill: currentColor !important; }
</style>"""


def run() -> None:
    """Set up the browser page, show the menu, run the chosen page."""
    st.set_page_config(
        page_title="RedNⁿD · see over-smoothing",
        page_icon=str(PROJECT_ROOT / "app" / "icon.svg"),
        layout="wide",
    )
    st.html(STYLE)
    home_page = st.Page(home.render, title="Home", icon=":material/home:", default=True)
    others = [
        st.Page(page_file(name), title=title, icon=icon, url_path=name)
        for name, (_, title, icon) in PAGES.items()
    ]
    st.navigation([home_page, *others]).run()
    load_ahead()
    warm.first_picture_sent()
