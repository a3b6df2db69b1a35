"""One entry of the browser's history a visit of a page; ``address.js`` says how."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

KEY = "one-entry-a-visit"
SCRIPT = f"<script>{Path(__file__).with_suffix('.js').read_text(encoding='utf-8')}</script>"


def one_entry_a_visit() -> None:
    """Let the browser's Back lead to the page before, and not through earlier addresses of one page."""
    with st.container(key=KEY):
        st.html(SCRIPT, unsafe_allow_javascript=True)
