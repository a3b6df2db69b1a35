"""Paths of data sets: the bundled ones, those that an operator offers, and a field to type another one."""

from __future__ import annotations

import streamlit as st

from app.exposure import declared_folders
from rednd_core.config import PROJECT_ROOT, portable_path
from rednd_core.data.interactions import data_folders


def bundled() -> list[str]:
    """Paths of the bundled data sets, as a run stores them: the shop, which pages open with, stands first."""
    folders = data_folders(PROJECT_ROOT / "sample_data")
    folders.sort(key=lambda folder: folder.name != "shop")
    return [folder.relative_to(PROJECT_ROOT).as_posix() for folder in folders]


def declared() -> list[str]:
    """Paths of the data sets in the folders of ``$REDND_DATA``, as a run stores them."""
    found = [data for folder in declared_folders() for data in data_folders(folder)]
    return [portable_path(folder.resolve()) for folder in found]


def path_field(box: str) -> None:
    """Draw the field. The typed path becomes the choice of the select box ``box``, which is drawn before it.

    The text stays while the typed path is the choice, so that a path that cannot be used can be corrected.
    The select box itself takes no typed path: it would search its options for the text, and remove the
    part of the text that equals the chosen option.

    Args:
        box: key of the select box, among whose options the choice in the session has to be.
    """
    key = f"{box}.typed"
    # Another choice since the path was typed empties the field.
    if st.session_state.get(key) != st.session_state.get(box):
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
