"""Runs: the list, their layers, metrics and per-user tables."""

from __future__ import annotations

from collections.abc import Sequence

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


@st.cache_resource(max_entries=16, show_spinner=False)
def _follower(path: str, created: str, _run: Run) -> Follower:
    return Follower(_run)


def history(run: Run) -> History:
    """Epochs and events of a run as they stand, also while it is training."""
    created = run.record.provenance.created.isoformat()
    return _follower(str(run.path), created, run).read()


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
