"""The user of the page Recommendations: chosen by search, by a link, or by steps through a slice."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from app import state
from app.shared import node_select
from rednd_core.data.node_names import NodeNames
from rednd_core.data.schema import IntArray
from rednd_core.evaluation.evaluate import Evaluation
from rednd_core.evaluation.users import WALKS, walk

STEP = "recommendations.step"  # a step within the slice that a button asked for, or its first user
FIRST = "first"


def user_labels(users: pd.DataFrame) -> list[str]:
    """``"user 17 · Hana W. · Play"``: the original id, then name and segment if they are known."""
    columns = [name for name in ("user_id", "name", "segment") if name in users]
    rows = zip(*(users[name] for name in columns), strict=True)
    return [
        "user " + " · ".join(" ".join(str(cell).split()) for cell in row if cell) for row in rows
    ]


def pick_user(
    evaluation: Evaluation, metric: str, kind: str, users: pd.DataFrame, names: NodeNames
) -> tuple[int, IntArray]:
    """Draw the controls; the chosen user, and the walking order of the slice ``kind``."""
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    order = walk(evaluation, kind, metric)
    _settle_user(order, names)
    with left:
        user = _user_box(users, names)
    if user is None:
        user = _first(order)
    # The box is not bound to the address: Streamlit would write the label, which has the name of a person.
    state.to_address(state.USER, [names.ids[user]])
    here = np.flatnonzero(order == user)
    with right.container(horizontal=True, vertical_alignment="center"):
        nothing = len(order) == 0
        st.button("Previous", on_click=ask, args=(-1,), disabled=nothing)
        st.button("Next in this slice", type="primary", on_click=ask, args=(1,), disabled=nothing)
    place = f"{here[0] + 1:,} of {len(order):,}" if len(here) else f"not among the {len(order):,}"
    st.caption(f"This user is {place} in the slice **{kind}** ({WALKS[kind]}).")
    return user, order


def _user_box(users: pd.DataFrame, names: NodeNames) -> int | None:
    """The chosen user. If there are many users, only those that a search finds are options."""
    what = f"{names.n_users:,} ids" + (" and names" if "name" in users else "")
    label, current = f"User (search {what})", names.user(st.session_state.get(state.USER) or "")
    options = np.arange(names.n_users)
    if names.n_users > node_select.MAX_OPTIONS:
        label = "User"
        text = st.text_input(f"Search {what}", key="user_query")
        options = node_select.shown_matches(
            names.search_users(_sought(text)) if text else None, names.n_users, "users"
        )
        options = np.union1d(options, [] if current is None else [current]).astype(np.int64)
    chosen = users.iloc[options] if len(options) < len(users) else users
    labels = dict(zip(chosen["user_id"], user_labels(chosen), strict=True))
    user_id = st.selectbox(
        label,
        list(labels),
        index=None,
        format_func=lambda name: labels.get(name, name),
        key=state.USER,
        persist_state="session",
    )
    return None if user_id is None else names.user(user_id)


def _sought(text: str) -> str:
    """``"5"`` of ``"user 5"``, as pages call a user; the word would not find a user with a name."""
    first, *others = text.split() or [""]
    return " ".join(others) if others and first.casefold() == "user" else text


def ask(step: int | str) -> None:
    st.session_state[STEP] = step


def _settle_user(order: IntArray, names: NodeNames) -> None:
    """Set the user before the select box is drawn: a step, a link's user, or the slice's first."""
    step = st.session_state.pop(STEP, None)
    for user_id in state.from_address(state.USER) or ():
        if names.user(user_id) is not None:
            st.session_state[state.USER] = user_id
    current = names.user(st.session_state.get(state.USER) or "")
    if step is not None and len(order):
        here = np.flatnonzero(order == current).tolist() if current is not None else []
        place = (here[0] + step) % len(order) if step != FIRST and here else 0
        st.session_state[state.USER] = names.ids[order[place]]
    elif current is None:
        st.session_state[state.USER] = names.ids[_first(order)]


def _first(order: IntArray) -> int:
    return int(order[0]) if len(order) else 0
