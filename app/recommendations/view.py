"""The page Recommendations: lists of one user, why an item stands where it does, and two runs compared."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app import cached
from app.recommendations.controls import (
    FIRST_K,
    FIRST_METRIC,
    FIRST_SLICE,
    FIRST_SPLIT,
    TAB,
    choose,
)
from app.recommendations.explain import ITEM, show_explanation
from app.recommendations.lists import N_HISTORY, by_category, show_lists
from app.recommendations.pair import show_pair
from app.recommendations.slices import show_slices
from app.recommendations.standing import show_standing
from app.shared.choose import default_run
from app.shared.errors import explained
from app.shared.product import picture_of
from rednd_core.evaluation.users import walk

TABS = LISTS, WHY, PAIR, SLICES = "Lists", "Why this item?", "Two runs", "Slices and tables"


@explained
def render() -> None:
    st.title("Recommend\u00adations")  # A soft hyphen: the word is wider than a phone.
    st.markdown(
        "**Why does this model fail for these users?** Step through the users with the worst lists: what did "
        "they have, what does the model list, and how far down are the items that they really chose?"
    )
    view = choose(TABS)
    if view is None:
        return
    show_standing(view)

    def explain(item: int) -> None:
        st.session_state[ITEM] = str(view.dataset.item_ids[item])
        st.session_state[TAB] = WHY

    tabs = st.tabs(TABS, key=TAB, bind="query-params")
    shows: tuple[Callable[[], None], ...] = (
        lambda: show_lists(view, explain),
        lambda: show_explanation(view),
        lambda: show_pair(view, explain),
        lambda: show_slices(view),
    )
    for tab, show in zip(tabs, shows, strict=True):
        if tab.open:  # Only the open tab is computed.
            with tab:
                show()


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
    for item in (*found.missed["item"], *found.listed["item"], *history):
        picture_of(dataset, int(item))
