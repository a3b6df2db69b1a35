"""A field for the path of a data set that is not among the options of a select box."""

from __future__ import annotations

import streamlit as st


def path_field(box: str) -> None:
    """Draw the field. The typed path becomes the choice of the select box ``box``, which is drawn before it.

    The text stays as long as it is that choice: a path that cannot be used, which the page says in its
    own words, can be corrected. A field of its own, as a select box that takes new options searches
    its options for what is typed, and eats the part of it that is the path of the chosen one.

    Args:
        box: key of the select box, among whose options the choice in the session has to be.
    """
    key = f"{box}.typed"
    if st.session_state.get(key) != st.session_state.get(
        box
    ):  # The reader has chosen another path since.
        st.session_state[key] = ""
    st.text_input(
        "Another folder or file",
        placeholder="type its path",
        help="An MMRec folder, or an .inter, Parquet or CSV file, on the machine that runs this app.",
        key=key,
        persist_state="session",
        on_change=_take_typed,
        args=(box, key),
    )


def _take_typed(box: str, key: str) -> None:
    if typed := st.session_state[key].strip():
        st.session_state[key] = st.session_state[box] = typed
