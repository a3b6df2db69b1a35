"""Maps of layers, from memory, from disk, or computed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from app.cached.data import run_dataset
from app.cached.measures import joined_sample
from app.cached.runs import layers, view_layers
from rednd_core.cache import ArrayCache
from rednd_core.config import PROJECT_ROOT
from rednd_core.projection.result import Projection
from rednd_core.runs import Run

CACHE_DIR = Path(os.environ.get("REDND_CACHE") or PROJECT_ROOT / ".cache")


@st.cache_resource(max_entries=24, show_spinner=False)
def _projection(
    path: str,
    version: str | None,
    modality: str,
    view: str,
    layer_numbers: tuple[int, ...],
    method: str,
    nodes: tuple[int, ...],
    settings: tuple[tuple[str, float], ...],
    _run: Run,
) -> Projection:
    from rednd_core.projection import project

    request = _projection_request(_run, modality, view, layer_numbers, method, nodes)
    return project(*request, **_place(_run), **dict(settings))


def projection(
    run: Run,
    modality: str,
    layer_numbers: Sequence[int],
    method: str,
    nodes: Sequence[int],
    view: str = "layer",
    **settings: float,
) -> Projection:
    """A map of chosen layers and nodes on shared axes, from memory, disk, or computed.

    Args:
        view: see :func:`view_layers`.
    """
    return _projection(
        str(run.path),
        run.layer_version,
        modality,
        view,
        tuple(layer_numbers),
        method,
        tuple(int(node) for node in nodes),
        tuple(sorted(settings.items())),
        run,
    )


def known_projection(
    run: Run,
    modality: str,
    layer_numbers: Sequence[int],
    method: str,
    nodes: Sequence[int],
    view: str = "layer",
    **settings: float,
) -> Projection | None:
    """The same where a cache on disk has it; None where it would have to be computed."""
    from rednd_core.projection import find

    request = _projection_request(run, modality, view, layer_numbers, method, nodes)
    return find(*request, **_place(run), **settings)


def _projection_request(
    run: Run,
    modality: str,
    view: str,
    layer_numbers: Sequence[int],
    method: str,
    nodes: Sequence[int],
) -> tuple[Any, ...]:
    import numpy as np

    from rednd_core.projection import NodeSample

    arrays = view_layers(run, modality, view)
    sample = NodeSample(np.asarray(nodes, dtype=np.int64), len(arrays[0]))
    return [arrays[k] for k in layer_numbers], method, sample


def _place(run: Run) -> dict[str, Any]:
    bundled = sorted(PROJECT_ROOT.glob("sample_data/*/projections"))
    return {"n_users": len(layers(run).user_emb), "cache": ArrayCache(CACHE_DIR, bundled)}


@st.cache_resource(max_entries=8, show_spinner="Drawing the maps …")
def _joined_map(
    path: str, version: str | None, digest: str, shown: tuple[int, ...], _run: Run
) -> Projection:
    from rednd_core.projection import project

    return project(*_joined_request(_run, shown, "pca"), **_place(_run))


def joined_map(run: Run, shown: Sequence[int]) -> Projection:
    """PCA map of the depths ``shown``, of the nodes of :func:`joined_sample`."""
    digest = run_dataset(run).digest
    return _joined_map(str(run.path), run.layer_version, digest, tuple(shown), run)


def known_joined_umap(run: Run, shown: Sequence[int]) -> Projection | None:
    """The same with UMAP where it is in a cache on disk; None where it would have to be computed."""
    from rednd_core.projection import find

    return find(*_joined_request(run, shown, "umap"), **_place(run))


def _joined_request(run: Run, shown: Sequence[int], method: str) -> tuple[Any, ...]:
    stack = joined_sample(run, max(shown))
    return [stack[k] for k in shown], method, stack[0].sample
