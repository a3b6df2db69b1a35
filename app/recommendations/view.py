"""The page Recommendations: one user's diagnosis, lists, what-ifs, and two runs compared."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from app import cached
from app.recommendations.controls import FIRST_SLICE, TAB, choose
from app.recommendations.lists import N_HELD_OUT, N_HISTORY, by_category, show_lists
from app.recommendations.pair import show_pair
from app.recommendations.standing import show_diagnosis, show_place
from app.recommendations.what_if import show_what_if
from app.recommendations.why import ask_why, show_asked
from app.shared.choose import default_run
from app.shared.context import FIRST_K, FIRST_METRIC, FIRST_SPLIT
from app.shared.errors import explained
from app.shared.product import picture_of
from rednd_core.evaluation.users import walk

TABS = LISTS, WHAT_IF, PAIR = "Lists", "What if", "Two runs"


@explained
def render() -> None:
    st.title(
        "Recommend\u00adations", anchor=False
    )  # A soft hyphen: the word is wider than a phone.
    view = choose(TABS)
    if view is None:
        return
    show_diagnosis(view)
    why = partial(ask_why, view)
    tabs = st.tabs(TABS, key=TAB, bind="query-params")

    def lists() -> None:
        show_lists(view, why)
        show_place(view)

    shows: tuple[Callable[[], None], ...] = (
        lists,
        lambda: show_what_if(view),
        lambda: show_pair(view, why),
    )
    for tab, show in zip(tabs, shows, strict=True):
        if tab.open:  # Only the open tab is computed.
            with tab:
                show()
    show_asked(view)


def prepare() -> None:
    """Fill the caches that the page's defaults need: names, ranks, the first user's list and pictures."""
    entries = {
        entry.name: entry
        for entry in cached.run_entries()
        if entry.record is not None and entry.run.layer_version is not None
    }
    if not entries:
        return
    run = entries[default_run(entries)].run
    if not run.record.has_interactions:
        return
    dataset = cached.run_dataset(run)
    cached.node_names(run)
    cached.n_evaluable(dataset, FIRST_SPLIT)
    ranked = cached.evaluation(run, FIRST_SPLIT)
    order = walk(ranked, FIRST_SLICE, f"{FIRST_METRIC}@{FIRST_K}")
    if not len(order):
        return
    found = cached.recommendations(run, FIRST_SPLIT, int(order[0]), FIRST_K)
    history = by_category(dataset, found.history)[:N_HISTORY]
    for item in (*found.missed["item"][:N_HELD_OUT], *found.listed["item"], *history):
        picture_of(dataset, int(item))
