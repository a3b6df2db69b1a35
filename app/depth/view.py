"""Depth: one slider, and the map, the measures and a user's list move together. The page to project."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app import cached, state
from app.charts.stage import depth_stage
from app.shared.chapter import Chapter
from app.shared.context import Context, choose_runs
from app.shared.errors import explained
from app.shared.links import say_unknown
from rednd_core.runs import Run

DEPTH, VECTORS, UMAP = "depth", "vectors", "depth-umap"
DEEPEST = 32  # that a link may ask for
VIEWS = {"layer": "output of layer k", "readout": "mean of the layers 0..k"}


@explained
def render() -> None:
    st.title("Depth", anchor=False)
    context = choose_runs()
    if context is None:
        return
    say_unknown({VECTORS: VIEWS, DEPTH: [str(k) for k in range(DEEPEST + 1)]})
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.markdown("Mix all vectors with their neighbours once more, and once more. What is lost?")
        view = st.segmented_control(
            "Vectors",
            list(VIEWS),
            default="layer",
            required=True,
            format_func=VIEWS.__getitem__,
            label_visibility="collapsed",
            help="A mean readout scores with the mean of all layers so far. It contains layer 0, so it hides "
            "a collapse of the last layer.",
            **state.keep(VECTORS),
        )
    _stage(context, view)


def _stage(context: Context, view: str) -> None:
    runs = [(run, Chapter(run, run.record).title) for run in (context.run, context.other) if run]
    user = _followed(context.run)
    asked = bool(st.session_state.get(UMAP))
    payload, has_umap = cached.stage(runs, view, _number(context.run, user), asked)
    depth_stage(
        payload,
        key="depth-stage",
        start={"depth": _depth(context.run), "user": user, "method": "pca"},
        on_chosen=_take,
    )
    if not has_umap:
        st.button(
            "Draw the UMAP of all depths beside it",
            help="It takes a minute or more, and is kept.",
            on_click=lambda: st.session_state.update({UMAP: True}),
        )
    st.caption(
        "Each list and Recall@20 come from the vectors of this depth alone, all modalities side by side. "
        "Items in a dashed frame are not in the list of the whole model. The whole model scores with all "
        "its parts. Held-out items are those of validation."
    )


def _depth(run: Run) -> int:
    """The depth that a link asks for; else the one that was chosen; else that of the model."""
    asked = [text for text in state.from_address(DEPTH) or () if text.isdecimal()]
    if asked:
        st.session_state[DEPTH] = min(int(asked[0]), DEEPEST)
    facts = run.record.model
    depth: int = st.session_state.get(DEPTH, facts.n_layers if facts else 0)
    state.to_address(DEPTH, [str(depth)] if DEPTH in st.session_state else [])
    return depth


def _followed(run: Run) -> str:
    """The followed user as links name users (``"user:17"``); ``""`` for nobody in particular."""
    names = cached.node_names(run)
    for user_id in state.from_address(state.USER) or ():
        if names.user(user_id) is not None:
            st.session_state[state.USER] = user_id
    user_id = st.session_state.get(state.USER)
    known = user_id if user_id and names.user(user_id) is not None else None
    state.to_address(state.USER, [known] if known else [])
    return f"user:{known}" if known else ""


def _number(run: Run, user: str) -> int | None:
    return cached.node_names(run).node(user) if user else None


def _take(chosen: Any) -> None:
    """Keep what the reader chose on the stage, for the address and for the other pages."""
    if not isinstance(chosen, dict):
        return
    depth, user = chosen.get("depth"), chosen.get("user")
    if type(depth) is int and 0 <= depth <= DEEPEST:
        st.session_state[DEPTH] = depth
    if isinstance(user, str) and user.startswith("user:"):
        st.session_state[state.USER] = user.removeprefix("user:")
