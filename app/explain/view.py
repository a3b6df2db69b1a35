"""The page Explain: for which users a model fails, and why."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app import cached
from app.explain.asked import PART, Asked, ask
from app.explain.beyond import show_beyond
from app.explain.matrix import show_matrix
from app.explain.tables import show_tables
from app.explain.verdicts import show_verdicts
from app.explain.weak import show_weak
from app.shared.choose import default_run
from app.shared.context import FIRST_SPLIT, runs_with_layers
from app.shared.errors import explained

PARTS: dict[str, Callable[[Asked], None]] = {
    "Verdicts": show_verdicts,
    "Slices": show_matrix,
    "Weak slices": show_weak,
    "Beyond accuracy": show_beyond,
    "Tables": show_tables,
}


@explained
def render() -> None:
    st.title("Explain", anchor=False)
    asked = ask(PARTS)
    if asked is None:
        return
    tabs = st.tabs(list(PARTS), key=PART, bind="query-params")
    for tab, show in zip(tabs, PARTS.values(), strict=True):
        if tab.open:  # Only the open tab is computed.
            with tab:
                show(asked)


def prepare() -> None:
    """Fill the caches that the first picture needs."""
    entries = runs_with_layers()
    if entries:
        run = entries[default_run(entries)].run
        if cached.judged_soon(run, FIRST_SPLIT):
            cached.evidence(run, FIRST_SPLIT)
