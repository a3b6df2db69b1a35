"""Depth: one slider, and the map, the measures and a user's list move together. The page to project."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app import cached, state
from app.charts.stage import depth_stage
from app.shared.chapter import Chapter
from app.shared.choose import default_run
from app.shared.context import Context, choose_runs, runs_with_layers
from app.shared.errors import explained
from app.shared.links import say_unknown
from app.shared.readouts import readout_words
from rednd_core.runs import Run

DEPTH, VECTORS, UMAP = "depth", "vectors", "depth-umap"
DEPTHS = {
    str(depth): depth for depth in range(33)
}  # that a link may ask for, as the address has them
VIEWS: dict[str, cached.Vectors] = {
    "layer output": "layer",
    "readout": "readout",
}  # as the address has them


@explained
def render() -> None:
    st.title("Depth", anchor=False)
    context = choose_runs("Layers of any depth, and lists,")
    if context is None:
        return
    names = cached.node_names(context.run)
    say_unknown(
        {
            VECTORS: VIEWS,
            DEPTH: DEPTHS,
            state.USER: lambda user_id: names.user(user_id) is not None,
        }
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.markdown("Mix all vectors with their neighbours once more, and once more. What is lost?")
        view = st.segmented_control(
            "Vectors",
            list(VIEWS),
            default=next(iter(VIEWS)),
            required=True,
            label_visibility="collapsed",
            help="Layer output: what comes out of layer k. Readout: what would score if propagation "
            f"stopped there, {_rules(context)}. A readout that contains layer 0 holds on to what no "
            "neighbour has touched.",
            **state.keep(VECTORS),
        )
    _stage(context, VIEWS[view])


def _rules(context: Context) -> str:
    """The readout of each run that is shown, once."""
    facts = [run.record.model for run in context.runs]
    return "; ".join(dict.fromkeys(readout_words(model) for model in facts if model))


def _stage(context: Context, view: cached.Vectors) -> None:
    runs = [(run, Chapter(run, run.record).title) for run in context.runs]
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
            help="The app computes the map once and keeps it.",
            on_click=lambda: st.session_state.update({UMAP: True}),
        )
    st.caption(
        "Each list and Recall@20 come from these vectors alone, all modalities side by side. "
        "Items in a dashed frame are not in the list of the whole model. The whole model scores with all "
        "its parts. Held-out items are those of validation."
    )


def _depth(run: Run) -> int:
    """The depth that a link asks for; else the one that was chosen; else that of the model."""
    for text in state.from_address(DEPTH) or ():
        if text in DEPTHS:
            st.session_state[DEPTH] = DEPTHS[text]
    facts = run.record.model
    depth: int = st.session_state.get(DEPTH, facts.shared_depth if facts else 0)
    state.to_address(DEPTH, [str(depth)] if DEPTH in st.session_state else [])
    return depth


def _followed(run: Run) -> str:
    """The followed user as links name users (``"user:17"``); ``""`` for nobody in particular."""
    names = cached.node_names(run)
    for asked in state.from_address(state.USER) or ():
        if names.user(asked) is not None:
            st.session_state[state.USER] = asked
    user_id = st.session_state.get(state.USER)
    known = isinstance(user_id, str) and names.user(user_id) is not None
    state.to_address(state.USER, [str(user_id)] if known else [])
    return f"user:{user_id}" if known else ""


def _number(run: Run, user: str) -> int | None:
    return cached.node_names(run).node(user) if user else None


def _take(chosen: Any) -> None:
    """Keep what the reader chose on the stage, for the address and for the other pages."""
    if not isinstance(chosen, dict):
        return
    depth, user = chosen.get("depth"), chosen.get("user")
    if type(depth) is int and str(depth) in DEPTHS:
        st.session_state[DEPTH] = depth
    if isinstance(user, str) and user.startswith("user:"):
        st.session_state[state.USER] = user.removeprefix("user:")


def prepare() -> None:
    """Fill the caches that the first picture needs."""
    entries = runs_with_layers()
    if entries:
        run = entries[default_run(entries)].run
        if not run.record.has_interactions:
            return
        cached.stage([(run, Chapter(run, run.record).title)], "layer", None, False)
