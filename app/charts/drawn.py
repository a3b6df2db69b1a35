"""Figures that are built and written as JSON once, for all who ask for the same.

A page asks for its figures in every run of its script, and so does every visitor. Building one takes up to
100 ms of processor time, its key takes less than one: the arguments, pickled and hashed. What differs in
pickling alone (one string twice, or two equal strings) is built once more, and nothing wrong is shown. What
is pickled is hashed and never read back.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from plotly.io.json import to_json_plotly

MOST_FIGURES = 64
SHARED = ("text", "customdata")  # attributes of traces that are often the same in every panel


@dataclass(frozen=True)
class Packed:
    """What the browser needs of a figure.

    Attributes:
        text: the figure as JSON; texts and ids that several traces have stand there once, in ``shared``.
        height: in pixels, None where the figure does not say.
        squares: what the height of a figure of square panels depends on, see ``squares.js``; None of others.
    """

    text: str
    height: float | None
    squares: dict[str, Any] | None


@dataclass(frozen=True)
class Drawn:
    """A figure as the browser needs it, and how it is built again for a file."""

    packed: Packed
    build: Callable[[], go.Figure]


def drawn(build: Callable[..., go.Figure], *args: Any, **kwargs: Any) -> Drawn:
    """The figure ``build(*args, **kwargs)``, built only where nobody has asked for it lately.

    Args:
        build: a pure function of a module.
        args, kwargs: data that can be pickled.
    """
    asked = pickle.dumps((build, args, kwargs), protocol=pickle.HIGHEST_PROTOCOL)
    make = partial(build, *args, **kwargs)
    return Drawn(_packed(hashlib.blake2b(asked, digest_size=20).hexdigest(), make), make)


@st.cache_resource(show_spinner=False, max_entries=MOST_FIGURES)
def _packed(key: str, _make: Callable[[], go.Figure]) -> Packed:
    return pack(_make())


def pack(figure: go.Figure) -> Packed:
    """A figure as the browser needs it."""
    parts = figure.to_dict()
    places: dict[str, int] = {}
    for trace in parts["data"]:
        for name in SHARED:
            if isinstance(trace.get(name), (np.ndarray, dict, list, tuple)):
                values = to_json_plotly(trace[name])
                trace[name] = {"shared": places.setdefault(values, len(places))}
    whole = to_json_plotly(parts)
    text = f'{whole[:-1]}, "shared": [{", ".join(places)}]}}'
    return Packed(text, figure.layout.height, _squares_of(figure))


def _squares_of(figure: go.Figure) -> dict[str, Any] | None:
    layout = figure.layout
    if not (layout.meta and "squares" in layout.meta):
        return None
    return {
        "meta": layout.meta,
        "margin": layout.margin.to_plotly_json(),
        "height": layout.height,
    }
