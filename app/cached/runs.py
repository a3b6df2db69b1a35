"""Runs: the list, their layers, metrics and per-user tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from rednd_core.runs import (
    AlignmentWeight,
    Follower,
    History,
    LayerIndex,
    Run,
    RunEntry,
    RunStore,
    default_store,
)
from rednd_core.runs import alignment_weight as read_alignment_weight


def store() -> RunStore:
    """The runs that the app shows: $REDND_RUNS or ./runs, and the bundled ones."""
    return default_store()


@st.cache_data(ttl=1.0, show_spinner=False)
def run_entries() -> Sequence[RunEntry]:
    """All runs, own ones first; at most a second old."""
    return list(store().list())


@st.cache_resource(max_entries=8, show_spinner=False)
def _layers(path: str, version: str | None, _run: Run) -> LayerIndex:
    return _run.layers()


def layers(run: Run) -> LayerIndex:
    """Memory-mapped layers of a run, as last written."""
    return _layers(str(run.path), run.layer_version, run)


@st.cache_resource(max_entries=2, show_spinner=False)  # as large as the run
def _readouts(path: str, version: str | None, modality: str, _run: Run) -> list[Any]:
    import numpy as np

    index = layers(_run)
    found = list(index.readouts(modality))
    if index.recorded or index.facts.readout.rule != "concat":
        return found
    # Side by side, layers that have not come yet are zeros: so all depths have the same axes.
    width = found[-1].shape[1]
    return [np.pad(state, ((0, 0), (0, width - state.shape[1]))) for state in found]


def view_layers(run: Run, modality: str, view: str) -> Sequence[Any]:
    """x^0 .. x^L or z^0 .. z^L, each with N rows, of one modality.

    Args:
        view: ``"layer"`` for the output of each layer; ``"readout"`` for what would score if propagation
            stopped at layer k.
    """
    if view == "readout":
        return _readouts(str(run.path), run.layer_version, modality, run)
    return layers(run)[modality]


@st.cache_resource(max_entries=16, show_spinner=False)
def _follower(path: str, created: str, _run: Run) -> Follower:
    return Follower(_run)


def history(run: Run) -> History:
    """Epochs and events of a run as they stand, also while it is training."""
    created = run.record.provenance.created.isoformat()
    return _follower(str(run.path), created, run).look()


@st.cache_data(max_entries=16, show_spinner=False)
def _epoch_metrics(path: str, stamp: int, size: int, _run: Run) -> pd.DataFrame:
    return _run.metrics()


def epoch_metrics(run: Run) -> pd.DataFrame:
    """One row an epoch (see ``Run.metrics``), read again when the file grows."""
    file = run.layout.metrics
    if not file.exists():
        return pd.DataFrame()
    stat = file.stat()
    return _epoch_metrics(str(file), stat.st_mtime_ns, stat.st_size, run)


@st.cache_data(max_entries=256, show_spinner=False)
def _alignment_weight(
    path: str, stamp: tuple[int, int], best: int | None, _run: Run
) -> AlignmentWeight | None:
    return read_alignment_weight(_run)


def alignment_weight(run: Run) -> AlignmentWeight | None:
    """The weight that a run was trained with, and whether it was moved; None without the loss."""
    file = run.layout.metrics
    stamp = (0, 0)
    if file.exists():
        stat = file.stat()
        stamp = (stat.st_mtime_ns, stat.st_size)
    return _alignment_weight(str(run.path), stamp, run.status.best_epoch, run)


@st.cache_resource(max_entries=16, show_spinner=False)  # not copied: a row a user
def _per_user(path: str, stamp: int, _run: Run) -> pd.DataFrame | None:
    return _run.per_user()


def per_user(run: Run) -> pd.DataFrame | None:
    """Metrics of every user with held-out items, by split; None while a run has none."""
    file = run.layout.per_user
    return _per_user(str(file), file.stat().st_mtime_ns if file.exists() else 0, run)
