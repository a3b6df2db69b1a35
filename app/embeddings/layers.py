"""The layers that the page Embeddings shows: the reader's choice, or some layers of the run by default."""

from __future__ import annotations

import numpy as np
import streamlit as st

from app import state
from app.shared.chapter import DEEP, Chapter
from rednd_core.runs import Run

DEFAULT_PANELS = 4
FURTHER = "further"


def choose_layers(n_states: int) -> tuple[int, ...]:
    """Pills of the layers 0 .. ``n_states`` - 1; those that are lit, ascending, at least one.

    What the pills say is no widget's own state: that could not tell a default, which every run has
    anew, from a choice, which is kept as far as a run has those layers.
    """
    numbers = range(n_states)
    asked = state.from_address(state.LAYERS)
    if asked is not None:
        st.session_state[state.LAYERS] = asked
    spread = np.linspace(0, n_states - 1, min(DEFAULT_PANELS, n_states)).round()
    default = sorted({int(k) for k in spread})
    own = [k for k in numbers if str(k) in st.session_state.get(state.LAYERS, ())]
    state.to_address(state.LAYERS, [str(k) for k in own])
    lit = own or default
    key = f"layers-of-{n_states}"
    st.session_state[key] = lit
    st.pills(
        f"Layers (0: before any graph, {n_states - 1}: last)",
        numbers,
        selection_mode="multi",
        key=key,
        on_change=_take,
        args=(key, default),
    )
    return tuple(lit)


def _take(key: str, default: list[int]) -> None:
    chosen = sorted(st.session_state[key])
    st.session_state[state.LAYERS] = [] if chosen == default else [str(k) for k in chosen]


def choose_further(run: Run) -> bool:
    """A toggle if the layers of ``run`` can be continued; whether the reader switched it on.

    The toggle is off at first, because computing such a map takes longer than the rest of the page.
    """
    chapter = Chapter(run, run.record)
    if not chapter.can_go_on:
        return False
    return st.toggle(
        f"Keep propagating to depth {DEEP}",
        help=f"{chapter.title} only multiplies by the graph, so its layers can be continued beyond the "
        f"{chapter.n_layers} that it was trained with: two more panels of the PCA map.",
        **state.keep(FURTHER),
    )
