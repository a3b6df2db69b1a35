"""Errors with a remedy are shown as their sentence, without a traceback."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

import streamlit as st

from app.shared.text import escape_markdown
from rednd_core.errors import RedndError, refusals


def explained(render: Callable[[], None]) -> Callable[[], None]:
    """Decorate a page's render function: a RedndError or a full disk becomes a message on the page."""

    @wraps(render)
    def wrapper() -> None:
        try:
            with refusals():
                render()
        except RedndError as error:
            st.error(escape_markdown(str(error)), icon=":material/error:")

    return wrapper
