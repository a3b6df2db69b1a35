"""The menu, and the frame around every page."""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from app import warm
from app.components.live_charts import LOADER, load_library
from app.sitemap import PAGES, page_file
from app.views import home
from rednd_core.config import PROJECT_ROOT

STYLE = f"""<style>
.st-key-{LOADER} {{ display: none; }}  /* it takes no row */
.stMainBlockContainer {{ padding-top: 3rem; }}  /* room for the picture */
/* The ink of figures reads on light and on dark files; on a page it can have the page's full contrast. */
.js-plotly-plot text[style*="rgb(121, 121, 121)"] {{ fill: currentColor !important; }}
</style>"""


def run() -> None:
    """Set up the browser page, show the menu, run the chosen page."""
    st.set_page_config(
        page_title="RedNⁿD · see over-smoothing",
        page_icon=str(PROJECT_ROOT / "app" / "icon.svg"),
        layout="wide",
    )
    _keep_choices_on_the_way_back()
    load_library()
    st.html(STYLE)
    home_page = st.Page(home.render, title="Home", icon=":material/home:", default=True)
    others = [
        st.Page(page_file(name), title=title, icon=icon, url_path=name)
        for name, (_, title, icon) in PAGES.items()
    ]
    st.navigation([home_page, *others]).run()
    warm.first_picture_sent()


def _keep_choices_on_the_way_back() -> None:
    """Let the choices of the session stand where the browser's Back leads to an address without any.

    A page that is left by the menu stays in the browser's history without its parameters, and Streamlit
    takes a parameter that is missing there for the wish to have the widget's default.
    """
    context = get_script_run_ctx()
    if context is not None and not st.query_params:
        context.is_history_navigation = False
