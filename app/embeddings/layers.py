"""The depths that the page Embeddings shows: the reader's choice, or some of them by default."""

from __future__ import annotations

import numpy as np
import streamlit as st

from app import state

DEFAULT_PANELS = 4


def choose_layers(n_depths: int, trained: int, depth: int) -> tuple[int, ...]:
    """A box of the depths 0 .. ``n_depths`` - 1; the chosen ones, ascending, at least one.

    What the box says is no widget's own state: that could not tell a default, which every run has
    anew, from a choice, which is kept as far as a run has those depths.

    Args:
        trained: the depth of the run, which later ones are propagated on from.
        depth: the one that all pages show.
    """
    asked = state.from_address(state.LAYERS)
    if asked is not None:
        st.session_state[state.LAYERS] = asked
    default = default_layers(n_depths, trained, depth)
    own = [k for k in range(n_depths) if str(k) in st.session_state.get(state.LAYERS, ())]
    state.to_address(state.LAYERS, [str(k) for k in own])
    lit = own or default
    key = f"layers-of-{n_depths}"
    st.session_state[key] = lit
    beyond = f" {trained} is the last trained one; deeper ones are propagated on to."
    st.multiselect(
        "Depths",
        range(n_depths),
        key=key,
        on_change=_take,
        args=(key, default),
        help="0: before any graph." + (beyond if trained < n_depths - 1 else ""),
    )
    return tuple(lit)


def default_layers(n_depths: int, trained: int, depth: int) -> list[int]:
    """The first depth, the last trained one, the deepest, and that of all pages or one in the middle."""
    last = n_depths - 1
    if trained < last:
        middle = depth if depth not in (0, trained, last) else max(trained, last // 2)
        return sorted({0, trained, middle, last})
    return sorted({int(k) for k in np.linspace(0, last, min(DEFAULT_PANELS, n_depths)).round()})


def _take(key: str, default: list[int]) -> None:
    chosen = sorted(st.session_state[key])
    st.session_state[state.LAYERS] = [] if chosen == default else [str(k) for k in chosen]
