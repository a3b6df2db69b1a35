"""The controls of the tab "What if": the change that is asked for, which is in the address as well."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

import numpy as np
import streamlit as st

from app import cached, state
from app.recommendations.controls import ListView
from app.recommendations.lists import by_category
from app.shared import node_select
from app.shared.product import title_of
from app.shared.readouts import readout_rule
from rednd_core.evaluation.linear import LinearModel, readout_weights
from rednd_core.evaluation.what_if import Change

DEEPEST = 16
# Names in the address: original ids of items, modalities, a number of layers, "yes".
REMOVED, ADDED, WITHOUT = "remove", "add", "without"
AT_DEPTH, NO_CROWD = "at-depth", "without-popularity"


def pick_change(view: ListView, model: LinearModel) -> Change:
    """Draw the controls, and return what they are set to."""
    history = by_category(view.dataset, view.recommended(view.run).history)
    left, right = st.columns(2)
    with left:
        remove = _items_to_remove(view, history, disabled=len(model.weights) == 1)
    with right:
        add = _items_to_add(view, history)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        without = _modalities(list(model.ego)) if len(model.ego) > 1 else []
        trained = len(model.weights) - 1
        depth = _depth(view, trained)
        crowd = _without_popularity()
    if len(without) == len(model.ego):
        st.warning("One modality has to stay; the last one that you left out counts.")
        without = without[:-1]
    weights = None
    if depth != trained:
        weights = readout_weights(cached.layers(view.run).facts.readout, depth)
    return Change(tuple(add), tuple(remove), tuple(without), weights, crowd)


def _items_to_remove(view: ListView, history: list[int], *, disabled: bool) -> list[int]:
    key = f"remove-{view.user}"
    _take_items(view, REMOVED, key, history)
    chosen: list[int] = st.multiselect(
        "Remove from the history",
        history,
        format_func=partial(title_of, view.dataset),
        key=key,
        disabled=disabled,
    )
    state.to_address(REMOVED, _original(view, chosen))
    return chosen


def _items_to_add(view: ListView, history: list[int]) -> list[int]:
    """Items to add: from all items, or on large data from those that a search finds."""
    dataset, key = view.dataset, f"add-{view.user}"
    options = np.setdiff1d(np.arange(dataset.n_items), history)
    _take_items(view, ADDED, key, options.tolist())
    if len(options) > node_select.MAX_OPTIONS:
        text = st.text_input("Search items to add", key="add-query")
        found = view.names.search(text) - dataset.n_users if text else np.empty(0, np.int64)
        kept = st.session_state.get(key, [])
        options = np.union1d(
            np.intersect1d(options, found)[: node_select.MAX_MATCHES], kept
        ).astype(np.int64)
    chosen: list[int] = st.multiselect(
        "Add to the history", options.tolist(), format_func=partial(title_of, dataset), key=key
    )
    state.to_address(ADDED, _original(view, chosen))
    return chosen


def _modalities(names: list[str]) -> list[str]:
    asked = state.from_address(WITHOUT)
    wanted = st.session_state.get(WITHOUT, []) if asked is None else asked
    # The run may be another one than the run that the names were chosen for.
    st.session_state[WITHOUT] = [name for name in names if name in wanted]
    chosen: list[str] = st.pills("Without a modality", names, selection_mode="multi", key=WITHOUT)
    state.to_address(WITHOUT, chosen)
    return chosen


def _depth(view: ListView, trained: int) -> int:
    key, deepest = f"what-if-depth-{trained}", max(DEEPEST, trained)
    asked = state.from_address(AT_DEPTH)
    if asked is not None:
        known = [depth for depth in range(deepest + 1) if asked[-1:] == [str(depth)]]
        st.session_state[key] = known[0] if known else trained
    st.session_state.setdefault(key, trained)
    depth = st.slider(
        "Depth",
        0,
        deepest,
        width=220,
        key=key,
        help=f"Layers of propagation; the run was trained with {trained}. What scores is "
        f"{readout_rule(cached.layers(view.run).facts)}.",
    )
    state.to_address(AT_DEPTH, [] if depth == trained else [str(depth)])
    return depth


def _without_popularity() -> bool:
    asked = state.from_address(NO_CROWD)
    if asked is not None:
        st.session_state[NO_CROWD] = asked[-1:] == ["yes"]
    crowd = st.toggle(
        "Without popularity",
        key=NO_CROWD,
        help="The mean user's vector is subtracted: what is recommended to everybody scores 0.",
    )
    state.to_address(NO_CROWD, ["yes"] if crowd else [])
    return crowd


def _take_items(view: ListView, name: str, key: str, options: Collection[int]) -> None:
    """Choose the items that a link has under ``name``, as far as they are among the options."""
    asked = state.from_address(name)
    if asked is None:
        return
    first = view.dataset.n_users
    nodes = [view.names.node(f"item:{item_id}") for item_id in asked]
    items = [node - first for node in nodes if node is not None]
    st.session_state[key] = [item for item in items if item in options]


def _original(view: ListView, items: list[int]) -> list[str]:
    return [str(view.dataset.item_ids[item]) for item in items]
