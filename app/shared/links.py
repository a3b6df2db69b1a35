"""What a link asks for and is not here, said in one line."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import streamlit as st

from app.shared.text import escape_markdown
from rednd_core.data.tables import shorten

LONGEST = 60  # characters of what was asked for


def say_unknown(known: Mapping[str, Collection[str] | Callable[[str], bool]]) -> None:
    """Warn of parameters of the address that are none of the known values, unless they were chosen here.

    Before the widgets are made: they take what they do not know out of the address.

    Args:
        known: by parameter the values that there are, or a function that tells.
    """
    unknown = []
    for key, values in known.items():
        if key in st.session_state:  # not a link's: a choice, made when there was another run, say
            continue
        is_known = values if callable(values) else {*values}.__contains__
        unknown += [f"{key}={each}" for each in st.query_params.get_all(key) if not is_known(each)]
    if unknown:
        told = ", ".join(escape_markdown(shorten(each, LONGEST)) for each in unknown)
        st.warning(
            f"The address asks for {told}, which is not here; the page shows its own choice instead.",
            icon=":material/link_off:",
        )
