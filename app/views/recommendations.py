"""The page Recommendations: why does this model fail for these users?"""

from __future__ import annotations

import streamlit as st

from app.components.errors import explained
from app.components.recommendations_explain import ITEM, show_explanation
from app.components.recommendations_lists import show_lists
from app.components.recommendations_pair import show_pair
from app.components.recommendations_slices import show_slices
from app.components.recommendations_standing import show_standing
from app.components.recommendations_view import choose

TAB = "tab"
LISTS, WHY, PAIR, SLICES = "Lists", "Why this item?", "Two runs", "Slices and tables"


@explained
def render() -> None:
    st.title("Recommend\u00adations")  # a soft hyphen: the word is wider than a phone
    st.markdown(
        "**Why does this model fail for these users?** Walk through the worst of them: what did they "
        "have, what does the model list, and how far down are the items that they really chose?"
    )
    view = choose()
    if view is None:
        return
    show_standing(view)

    def explain(item: int) -> None:
        st.session_state[ITEM] = str(view.dataset.item_ids[item])
        st.session_state[TAB] = WHY

    tabs = st.tabs([LISTS, WHY, PAIR, SLICES], key=TAB, bind="query-params")
    shows = (
        lambda: show_lists(view, explain),
        lambda: show_explanation(view),
        lambda: show_pair(view, explain),
        lambda: show_slices(view),
    )
    for tab, show in zip(tabs, shows, strict=True):
        if tab.open:  # only the open tab is computed
            with tab:
                show()
