"""The vectors of a run at every depth: stored, or propagated on from what is stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

import streamlit as st

from app.cached.data import graph, run_dataset
from app.cached.runs import layers
from rednd_core.runs import Run

if TYPE_CHECKING:
    from rednd_core.stage.depths import Depths

Vectors = Literal["layer", "readout"]

ALL = "all modalities"
"""The modalities side by side, as the whole model scores with them."""


def modalities(run: Run) -> list[str]:
    """What can be chosen of a run: all modalities side by side, where there are several, and each alone."""
    facts = run.record.model
    own = list(facts.modalities) if facts else list(layers(run))
    return [ALL, *own] if len(own) > 1 else own


@st.cache_resource(max_entries=3, show_spinner=False)
def _depths(path: str, version: str | None, modality: str, view: Vectors, _run: Run) -> Depths:
    from rednd_core.stage.depths import Depths, each_vector, n_vectors
    from rednd_core.stage.of_run import reach

    stored, deepest = layers(_run), reach(_run)
    one = None if modality == ALL else modality

    def begin() -> Iterator[Any]:
        found = each_vector(stored, graph(run_dataset(_run)), view, deepest, one)
        return _equally_wide(found, n) if concatenated else found

    n = n_vectors(stored, view, deepest, one)
    by_rule = view == "readout" and not stored.recorded
    concatenated = by_rule and stored.facts.readout.rule == "concat"
    return Depths(begin, n)


def _equally_wide(found: Iterator[Any], n: int) -> Iterator[Any]:
    """Layers side by side, those that have not come yet as zeros: all depths have the same axes."""
    import numpy as np

    every = list(found)
    width = every[n - 1].shape[1]
    for state in every:
        yield np.pad(state, ((0, 0), (0, width - state.shape[1])))


def view_layers(run: Run, modality: str, view: str) -> Sequence[Any]:
    """x^0, x^1, ... or z^0, z^1, ..., each with N rows: as deep as they can be known.

    Depths beyond those of the run are propagated on to where propagation is linear.

    Args:
        modality: one of :func:`modalities`.
        view: ``"layer"`` for the output of each layer; ``"readout"`` for what would score if propagation
            stopped at layer k.
    """
    of: Vectors = "readout" if view == "readout" else "layer"
    return _depths(str(run.path), run.layer_version, modality, of, run)
