"""Every cache of the app. Views reach the core's slow parts through this module only.

Caches are shared by all browser sessions: what comes out is never changed in place. Each key holds
everything that the value depends on; a run that is still training changes its ``layer_version``.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from rednd_core.cache import ArrayCache
from rednd_core.config import PROJECT_ROOT, DataConfig, resolve_data_path
from rednd_core.data.schema import Dataset
from rednd_core.errors import RunError
from rednd_core.graph.bipartite import BipartiteGraph
from rednd_core.projection.result import Projection
from rednd_core.runs import LayerIndex, Run, RunEntry, RunStore, default_store

CACHE_DIR = Path(os.environ.get("REDND_CACHE") or PROJECT_ROOT / ".cache")


def store() -> RunStore:
    """The runs that the app shows: $REDND_RUNS or ./runs, and the bundled ones."""
    return default_store()


@st.cache_data(ttl=1.0, show_spinner=False)
def run_entries() -> Sequence[RunEntry]:
    """All runs, own ones first; at most a second old."""
    return list(store().list())


@st.cache_resource(max_entries=4, show_spinner="Loading the data set …")
def _dataset(config_json: str, signature: tuple[tuple[str, int, int], ...]) -> Dataset:
    from rednd_core.data import load_dataset

    config = DataConfig.model_validate_json(config_json)
    return load_dataset(
        resolve_data_path(config.path),
        split=config.split,
        seed=config.split_seed,
        ratios=config.ratios,
        columns=config.columns,
    )


def dataset(config: DataConfig) -> Dataset:
    """A data set by its configuration; read again when a file of it changes."""
    place = resolve_data_path(config.path)
    folder = place if place.is_dir() else place.parent
    files = sorted(f for f in folder.glob("*") if f.is_file()) if folder.is_dir() else []
    stats = [(f.name, f.stat()) for f in files]
    signature = tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats)
    return _dataset(config.model_dump_json(), signature)


def run_dataset(run: Run) -> Dataset:
    """The data set that ``run`` was trained on.

    Raises:
        RunError: the data at the recorded path has other content by now.
    """
    record = run.record
    loaded = dataset(record.config.data)
    if record.data is not None and record.data.digest != loaded.digest:
        raise RunError(
            expected=f"the data set that run {run.name} was trained on ({record.data.digest[:12]})",
            found=f"{record.config.data.path} with other content ({loaded.digest[:12]})",
            remedy="restore the data set at that path, or train a new run",
        )
    return loaded


@st.cache_resource(max_entries=4, show_spinner=False)
def _graph(digest: str, _dataset: Dataset) -> BipartiteGraph:
    from rednd_core.graph.bipartite import bipartite_graph

    return bipartite_graph(_dataset.train, _dataset.n_users, _dataset.n_items)


def graph(of: Dataset) -> BipartiteGraph:
    """The user-item graph of a data set's train interactions."""
    return _graph(of.digest, of)


@st.cache_resource(max_entries=8, show_spinner=False)
def _layers(path: str, version: str | None, _run: Run) -> LayerIndex:
    return _run.layers()


def layers(run: Run) -> LayerIndex:
    """Memory-mapped layers of a run, as last written."""
    return _layers(str(run.path), run.layer_version, run)


@st.cache_data(max_entries=32, show_spinner="Measuring the layers …")
def _smoothness(
    path: str, version: str | None, digest: str, depth: int | None, _run: Run
) -> pd.DataFrame:
    from rednd_core.smoothness import measure_layers, propagate_depth

    index = layers(_run)
    of = graph(run_dataset(_run))
    arrays: dict[str, Any] = dict(index)
    if depth is not None:
        arrays = {m: propagate_depth(states[0], of, depth) for m, states in arrays.items()}
    return measure_layers(arrays, of, readout=index.readout)


def smoothness(run: Run, depth: int | None = None) -> pd.DataFrame:
    """Every measure of every layer (see ``rednd_core.smoothness.measure_layers``).

    Args:
        depth: where given, x^0 is propagated on to this depth instead of using the stored layers;
            for models with linear propagation only.
    """
    digest = run_dataset(run).digest
    return _smoothness(str(run.path), run.layer_version, digest, depth, run)


@st.cache_resource(max_entries=24, show_spinner=False)
def _projection(
    path: str,
    version: str | None,
    modality: str,
    layer_numbers: tuple[int, ...],
    method: str,
    nodes: tuple[int, ...],
    settings: tuple[tuple[str, float], ...],
    _run: Run,
) -> Projection:
    import numpy as np

    from rednd_core.projection import NodeSample, project

    index = layers(_run)
    n_users, n_items = len(index.user_emb), len(index.item_emb)
    bundled = sorted(PROJECT_ROOT.glob("sample_data/*/projections"))
    return project(
        [index[modality][k] for k in layer_numbers],
        method,
        NodeSample(np.asarray(nodes, dtype=np.int64), n_users + n_items),
        n_users=n_users,
        cache=ArrayCache(CACHE_DIR, bundled),
        **dict(settings),
    )


def projection(
    run: Run,
    modality: str,
    layer_numbers: Sequence[int],
    method: str,
    nodes: Sequence[int],
    **settings: float,
) -> Projection:
    """A map of chosen layers and nodes on shared axes, from memory, disk, or computed."""
    return _projection(
        str(run.path),
        run.layer_version,
        modality,
        tuple(layer_numbers),
        method,
        tuple(int(node) for node in nodes),
        tuple(sorted(settings.items())),
        run,
    )


@st.cache_data(max_entries=16, show_spinner=False)
def _per_user(path: str, stamp: int, _run: Run) -> pd.DataFrame | None:
    return _run.per_user()


def per_user(run: Run) -> pd.DataFrame | None:
    """Metrics of every user with held-out items, by split; None while a run has none."""
    file = run.layout.per_user
    return _per_user(str(file), file.stat().st_mtime_ns if file.exists() else 0, run)


@st.cache_resource(show_spinner=False)
def prewarm() -> None:
    """Compile UMAP's numba code in the background, once a server, so that nobody waits for it."""
    from rednd_core.projection import prewarm as compile_umap

    threading.Thread(target=compile_umap, name="umap-prewarm", daemon=True).start()
