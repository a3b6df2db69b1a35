"""One line about everything that a link asks for and that is not here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import streamlit as st

from app.shared.text import escape_markdown
from rednd_core.data.tables import shorten

LONGEST = 60  # characters that are shown of each value


def say_unknown(known: Mapping[str, Collection[str] | Callable[[str], bool]]) -> None:
    """Warn of parameters of the address that have unknown values, unless they were chosen here.

    To be called before the widgets are made, because widgets remove unknown values from the address.

    Args:
        known: by parameter the values that there are, or a function that tells.
    """
    unknown = []
    for key, values in known.items():
        if key in st.session_state:  # The reader chose the value, e.g. for another run.
            continue
        is_known = values if callable(values) else {*values}.__contains__
        unknown += [f"{key}={each}" for each in st.query_params.get_all(key) if not is_known(each)]
    if unknown:
        told = ", ".join(escape_markdown(shorten(each, LONGEST)) for each in unknown)
        st.warning(
            f"The address asks for {told}, which is not here. The page shows its own choice instead.",
            icon=":material/link_off:",
        )
