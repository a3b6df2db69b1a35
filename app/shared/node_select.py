"""The selected node, or the selected group of nodes: by search, by a click, by box or lasso.

Both live in the session and in the address bar, as keys that survive a change of page: the node under
``state.NODE``, the group under :data:`GROUP`, if it is not too large for an address. A selected user is the
user whom the other pages follow (``state.USER``), and the user who is chosen there becomes the selected node.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from app import state
from app.shared.text import escape_markdown
from rednd_core.data.node_names import NodeNames

FOLLOWED = "node.followed"  # the user of the other pages who was selected last
GROUP = "group"  # keys of the nodes chosen by box or lasso; two or more, or empty
MOST_IN_ADDRESS = 100  # nodes of a group in an address, which stays below about 2,000 characters
FINDER = "node_finder"
MAX_OPTIONS = 5_000  # A select box with more options is slow, so a text field filters them first.
MAX_MATCHES = 200


def current_node(names: NodeNames) -> int | None:
    """The selected node; a link overrides the session. A node of another data set is reported."""
    asked = state.from_address(state.NODE)
    _follow(names)
    if asked is not None:
        st.session_state[state.NODE] = next(
            (key for key in asked if names.node(key) is not None), None
        )
    key = st.session_state.get(state.NODE)
    node = names.node(key) if key else None
    if key and node is None:
        st.caption(f"This data set has no node {escape_markdown(key)}; nothing is selected.")
    state.to_address(state.NODE, [key] if key and node is not None else [])
    return node


def _follow(names: NodeNames) -> None:
    """Select the user who was chosen on another page since the last look at this one."""
    user = st.session_state.get(state.USER)
    if user is not None and user != st.session_state.get(FOLLOWED):
        st.session_state[FOLLOWED] = user
        number = names.user(user)
        if number is not None:
            st.session_state[state.NODE] = names.keys(np.asarray([number]))[0]


def current_group(names: NodeNames) -> list[int]:
    """Nodes of a link, or of the last box or lasso, sorted; those of another data set are left out."""
    asked = state.from_address(GROUP)
    if asked is not None:
        st.session_state[GROUP] = tuple(asked)
    found = (names.node(key) for key in st.session_state.get(GROUP, ()))
    group = sorted({node for node in found if node is not None})
    if len(group) == 1:  # One node is no group, and nobody chose it as the selected node.
        group = []
    small = len(group) <= MOST_IN_ADDRESS
    state.to_address(GROUP, names.keys(np.asarray(group)) if group and small else [])
    return group


def select(names: NodeNames, nodes: list[int]) -> None:
    """One node becomes the selected node, several nodes become the group. No node changes nothing."""
    if len(nodes) == 1:
        st.session_state[state.NODE] = names.keys(np.asarray(nodes))[0]
        st.session_state[GROUP] = ()
        if nodes[0] < names.n_users:
            user = names.ids[nodes[0]]
            st.session_state[state.USER] = st.session_state[FOLLOWED] = user
    elif nodes:
        st.session_state[GROUP] = tuple(names.keys(np.asarray(nodes)))


def clear() -> None:
    """Select nothing."""
    st.session_state[state.NODE] = None
    st.session_state[GROUP] = ()


def take_points(names: NodeNames, picked: Any) -> None:
    """Callback of a figure: the points that were chosen in the figure become the selection."""
    select(names, chosen_nodes(picked, len(names)))


def chosen_nodes(picked: Any, n_nodes: int) -> list[int]:
    """The distinct node numbers among the values that a browser sent."""
    values = picked if isinstance(picked, list) else []
    return sorted({value for value in values if type(value) is int and 0 <= value < n_nodes})


def take_row(names: NodeNames, key: str, nodes: list[int]) -> None:
    """Callback of a table whose row k is node ``nodes[k]``."""
    rows = st.session_state[key]["selection"]["rows"]
    if rows:
        select(names, [nodes[rows[0]]])


def find_node(names: NodeNames, selected: int | None) -> None:
    """Search by title or id. Large sets are filtered on the server first."""
    options = np.arange(len(names))
    if len(names) > MAX_OPTIONS:
        text = st.text_input(
            "Find a user or an item",
            key="node_query",
            placeholder="part of a title, or an id",
        )
        options = shown_matches(names.search(text) if text else None, len(names), "nodes")
        if selected is not None and selected not in options:
            options = np.concatenate([[selected], options])
    st.session_state[FINDER] = selected
    labels = dict(zip(options.tolist(), names.labels(options), strict=True))
    st.selectbox(
        "Find a user or an item" if len(names) <= MAX_OPTIONS else "Matches",
        options.tolist(),
        index=None,
        format_func=lambda node: labels.get(node, str(node)),
        key=FINDER,
        placeholder="Type a title or an id",
        on_change=_take_found,
        args=(names,),
    )


def shown_matches(matches: NDArray[np.int64] | None, n_all: int, what: str) -> NDArray[np.int64]:
    """The first matches of a search, and a line with their number; nothing without a search."""
    if matches is None:
        return np.empty(0, dtype=np.int64)
    shown = matches[:MAX_MATCHES]
    st.caption(f"{len(shown):,} of {len(matches):,} matches, of {n_all:,} {what}")
    return shown


def _take_found(names: NodeNames) -> None:
    node = st.session_state[FINDER]
    if node is None:
        clear()
    else:
        select(names, [node])
