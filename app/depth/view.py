"""Depth: one slider, and the map, the measures and a user's list move together. The page to project.

The slider moves over the depths of the trained model, or over the epochs of its training at one depth.
"""

from __future__ import annotations

from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import cached, state
from app.charts.stage import depth_stage
from app.depth.replay import has_snapshots, without_snapshots
from app.shared.chapter import Chapter
from app.shared.choose import default_run
from app.shared.context import (
    DEPTHS,
    Context,
    choose_depth,
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

EPOCH, VECTORS, UMAP = "epoch", "vectors", "depth-umap"
# What a link may ask for, as the address has it.
MOST_EPOCHS = 100_000
VIEWS: dict[str, cached.Vectors] = {"layer output": "layer", "readout": "readout"}
SLIDERS = (state.OVER_DEPTHS, state.OVER_EPOCHS)

Titled = tuple[Run, str, str]
"""A run with its title and its modality."""


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
            state.OVER: SLIDERS,
            EPOCH: _is_epoch,
            state.DEPTH: DEPTHS,
            state.USER: lambda user_id: names.user(user_id) is not None,
        }
    )
    modality = choose_modality(context.run)
    runs = [_titled(run, modality_of(run, modality)) for run in context.runs]
    if st.session_state.get(state.OVER) == state.OVER_EPOCHS:  # as another page has chosen
        state.write_address(state.OVER, state.OVER_EPOCHS)
    row = st.container(horizontal=True, vertical_alignment="center", gap="medium")
    with row:
        st.markdown("Slide over", width="content")
        # The options are plain words, because the address bar keeps the text of an option.
        over = st.segmented_control(
            "Slide over",
            SLIDERS,
            default=state.OVER_DEPTHS,
            required=True,
            label_visibility="collapsed",
            help="Over depths: the vectors of the trained model are mixed with their neighbours again and "
            "again. Over epochs: one layer of the model, from before its training to the end.",
            **state.keep(state.OVER),
        )
    if over == state.OVER_EPOCHS:
        _over_epochs(context, runs, row)
    else:
        _over_depths(context, runs, row)


def _over_depths(context: Context, runs: list[Titled], row: DeltaGenerator) -> None:
    """The controls in ``row`` and the stage below."""
    with row:
        view = _choose_vectors(context)
        st.markdown(
            "Mix the vectors with their neighbours, again and again. What is lost?", width="stretch"
        )
    user = _followed(context.run)
    asked = bool(st.session_state.get(UMAP))
    payload, has_umap = cached.stage(runs, view, _number(context.run, user), asked)
    _stage(payload, {"depth": kept_depth(context.run), "user": user, "method": "pca"}, has_umap)


def _over_epochs(context: Context, runs: list[Titled], row: DeltaGenerator) -> None:
    """The controls in ``row`` and the stage below."""
    if any(not has_snapshots(run) for run in context.runs):
        without_snapshots(context.runs)
        return
    sources = cached.sources(runs)
    depth = choose_depth(context.run, min(source.deepest for source in sources) + 1)
    with row:
        has_readouts = all(source.has_readouts for source in sources)
        view: cached.Vectors = _choose_vectors(context) if has_readouts else "layer"
        st.markdown(
            f"Follow layer {depth} through the training. When does the picture form?",
            width="stretch",
        )
    user = _followed(context.run)
    number = _number(context.run, user)
    asked = bool(st.session_state.get(UMAP))
    modalities = [modality for _, _, modality in runs]
    payload, has_umap = cached.replay_of(sources, modalities, depth, view, number, asked)
    _stage(payload, {"epoch": _epoch(), "user": user, "method": "pca"}, has_umap)


def _choose_vectors(context: Context) -> cached.Vectors:
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
    return VIEWS[view]


def _rules(context: Context) -> str:
    """The readout of each run that is shown, once."""
    facts = [run.record.model for run in context.runs]
    return "; ".join(dict.fromkeys(readout_words(model) for model in facts if model))


def _stage(payload: str, start: dict[str, Any], has_umap: bool) -> None:
    depth_stage(payload, key="depth-stage", start=start, on_chosen=_take)
    if not has_umap:
        st.button(
            "Draw the UMAP of all steps beside it",
            help="The app computes the map once and keeps it.",
            on_click=lambda: st.session_state.update({UMAP: True}),
        )
    st.caption(
        "Each list and Recall@20 come from these vectors alone. "
        "Items in a dashed frame are not in the list of the whole model. The whole model scores with all "
        "its parts. Held-out items are those of validation."
    )


def _epoch() -> int:
    """The epoch that a link asks for; else the one that was chosen; else 0, the untrained model."""
    for text in state.from_address(EPOCH) or ():
        if _is_epoch(text):
            st.session_state[EPOCH] = int(text)
    epoch: int = st.session_state.get(EPOCH, 0)
    state.to_address(EPOCH, [str(epoch)] if EPOCH in st.session_state else [])
    return epoch


def _is_epoch(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 6 and int(text) <= MOST_EPOCHS


def _titled(run: Run, modality: str) -> Titled:
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
    depth, epoch, user = (chosen.get(name) for name in ("depth", "epoch", "user"))
    if type(depth) is int and str(depth) in DEPTHS:
        st.session_state[state.DEPTH] = depth
    if type(epoch) is int and _is_epoch(str(epoch)):
        st.session_state[EPOCH] = epoch
    if isinstance(user, str) and user.startswith("user:"):
        st.session_state[state.USER] = user.removeprefix("user:")


def prepare() -> None:
    """Fill the caches that the first picture needs."""
    entries = runs_with_layers()
    if entries:
        run = entries[default_run(entries)].run
        if run.record.has_interactions:
            cached.stage([_titled(run, cached.modalities(run)[0])], "layer", None, False)
