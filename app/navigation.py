"""The menu, and the frame around every page."""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from app import warm
from app.charts.live_charts import LOADER, load_library
from app.home import view as home
from app.shared import address
from app.sitemap import PAGES, page_file
from app.turns import turn
from rednd_core.config import PROJECT_ROOT

STYLE = f"""<style>
.st-key-{LOADER}, :has(> .st-key-{address.KEY}) {{ display: none; }}  /* they take no row */
.stMainBlockContainer {{ padding-top: 1rem; }}  /* room for the picture */
/* Where the menu is closed, as on a phone, Streamlit's bar with the button that opens it covers the top. */
.stApp:has([data-testid=stExpandSidebarButton]) .stMainBlockContainer {{ padding-top: 3.75rem; }}
/* A compact menu: what all pages share stands below it, on the first screen of a projector (720 pixels). */
[data-testid=stSidebarHeader] {{ height: 2.5rem; margin-bottom: 0; }}
[data-testid=stSidebarNavItems] {{ gap: 0; }}
[data-testid=stSidebarNavLink] {{ padding-block: 0; margin-block: 0; }}
[data-testid=stSidebarNavSeparator] {{ margin: .25rem 0; }}
[data-testid=stSidebarUserContent] {{ padding-top: .25rem; }}
[data-testid=stSidebarUserContent] .stVerticalBlock {{ gap: .5rem; }}
.stMainBlockContainer h1 {{ font-size: 2.1rem; padding: 0 0 .25rem; }}
.stMainBlockContainer h2 {{ font-size: 1.45rem; }}
.stMainBlockContainer h3 {{ font-size: 1.2rem; }}
/* Streamlit's captions have 4.49:1 on white, and what is chosen of a button group or on a slider 3.7:1 on
   dark: small text needs 4.5. CanvasText is black on a light page and white on a dark one. */
[data-testid=stCaptionContainer] {{ opacity: .75; }}
:is([data-testid=stButtonGroup], [data-testid=stSlider]) p {{
  color: color-mix(in srgb, currentColor 70%, CanvasText);
}}
/* The ink of figures reads on light and on dark files; on a page it can have the page's full contrast. */
.js-plotly-plot text[style*="rgb(121, 121, 121)"] {{ fill: currentColor !important; }}
</style>"""


def run() -> None:
    """Set up the browser page, show the menu, run the chosen page."""
    st.set_page_config(
        page_icon=str(PROJECT_ROOT / "app" / "icon.svg"),
        layout="wide",
    )
    _lead_back()
    address.one_entry_a_visit()
    load_library()
    st.html(STYLE)
    home_page = st.Page(home.render, title="Home", icon=":material/home:", default=True)
    others = [
        st.Page(page_file(name), title=title, icon=icon, url_path=name)
        for name, (_, title, icon) in PAGES.items()
    ]
    chosen = st.navigation([home_page, *others])
    st.set_page_config(
        page_title=f"{chosen.title} · RedNⁿD"
    )  # Tabs of a browser tell the pages apart.
    with turn():
        chosen.run()
    warm.first_picture_sent()


def _lead_back() -> None:
    """Let the browser's Back and Forward show a page as its address says.

    Streamlit drops a parameter that a widget of the last page has under the same name, e.g. its run. And
    Streamlit gives a widget its default if the address lacks the widget's parameter; but an address without
    any parameter keeps the choices of the session.
    """
    context = get_script_run_ctx()
    if context is None or not context.is_history_navigation:
        return
    context.is_history_navigation = bool(context.query_string)
    with context.session_state.query_params() as params:
        params.populate_from_query_string(context.query_string)
        params.set_initial_query_params(context.query_string)
    st.query_params.update(
        {}
    )  # This call sends the address to the browser, over that of the last page.
