"""Depth: one slider, and the map, the measures and a user's list move together. The page to project."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app import cached, state
from app.charts.stage import depth_stage
from app.shared.chapter import Chapter
from app.shared.choose import default_run
from app.shared.context import (
    DEPTHS,
    Context,
    choose_modality,
    choose_runs,
    kept_depth,
    modality_of,
    runs_with_layers,
)
from app.shared.errors import explained
from app.shared.links import say_unknown
from app.shared.readouts import readout_words
from rednd_core.runs import Run

VECTORS, UMAP = "vectors", "depth-umap"
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
            state.MODALITY: cached.modalities(context.run),
            VECTORS: VIEWS,
            state.DEPTH: DEPTHS,
            state.USER: lambda user_id: names.user(user_id) is not None,
        }
    )
    modality = choose_modality(context.run)
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
    _stage(context, VIEWS[view], modality)


def _rules(context: Context) -> str:
    """The readout of each run that is shown, once."""
    facts = [run.record.model for run in context.runs]
    return "; ".join(dict.fromkeys(readout_words(model) for model in facts if model))


def _stage(context: Context, view: cached.Vectors, modality: str) -> None:
    runs = [_titled(run, modality_of(run, modality)) for run in context.runs]
    user = _followed(context.run)
    asked = bool(st.session_state.get(UMAP))
    payload, has_umap = cached.stage(runs, view, _number(context.run, user), asked)
    depth_stage(
        payload,
        key="depth-stage",
        start={"depth": kept_depth(context.run), "user": user, "method": "pca"},
        on_chosen=_take,
    )
    if not has_umap:
        st.button(
            "Draw the UMAP of all depths beside it",
            help="The app computes the map once and keeps it.",
            on_click=lambda: st.session_state.update({UMAP: True}),
        )
    st.caption(
        "Each list and Recall@20 come from these vectors alone. "
        "Items in a dashed frame are not in the list of the whole model. The whole model scores with all "
        "its parts. Held-out items are those of validation."
    )


def _titled(run: Run, modality: str) -> tuple[Run, str, str]:
    """The run with its title, which names a modality that is shown alone, and that modality."""
    title = Chapter(run, run.record).title
    alone = modality != cached.modalities(run)[0]
    return run, f"{title}, {modality} alone" if alone else title, modality


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
        st.session_state[state.DEPTH] = depth
    if isinstance(user, str) and user.startswith("user:"):
        st.session_state[state.USER] = user.removeprefix("user:")


def prepare() -> None:
    """Fill the caches that the first picture needs."""
    entries = runs_with_layers()
    if entries:
        run = entries[default_run(entries)].run
        if run.record.has_interactions:
            cached.stage([_titled(run, cached.modalities(run)[0])], "layer", None, False)
