"""Measures of layers: smoothness, recall of every layer, agreement of every node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from app.cached.data import graph, run_dataset
from app.cached.runs import layers, view_layers
from rednd_core.runs import Run

RECALL_K = 20  # cut-off of the recall that is shown beside smoothness


@st.cache_data(max_entries=32, show_spinner="Measuring the layers …")
def _smoothness(
    path: str,
    version: str | None,
    digest: str,
    depth: int | None,
    modality: str | None,
    _run: Run,
) -> pd.DataFrame:
    from rednd_core.smoothness import measure_layers, propagate_depth

    index = layers(_run)
    of = graph(run_dataset(_run))
    arrays: dict[str, Any] = {modality: index[modality]} if modality else dict(index)
    if depth is not None:
        arrays = {m: propagate_depth(states[0], of, depth) for m, states in arrays.items()}
    return measure_layers(arrays, of, readout=index.readout)


def smoothness(run: Run, depth: int | None = None, modality: str | None = None) -> pd.DataFrame:
    """Every measure of every layer (see ``rednd_core.smoothness.measure_layers``).

    Args:
        depth: where given, x^0 is propagated on to this depth instead of using the stored layers;
            for models with linear propagation only.
        modality: the only one to measure; None for all.
    """
    digest = run_dataset(run).digest
    return _smoothness(str(run.path), run.layer_version, digest, depth, modality, run)


@st.cache_resource(max_entries=8, show_spinner=False)
def _joined_layers(path: str, version: str | None, digest: str, depth: int, _run: Run) -> Any:
    import numpy as np

    from rednd_core.smoothness import propagate_depth

    stored = layers(_run)
    n_stored = len(stored[next(iter(stored))])
    joined = [np.hstack([stored[m][k] for m in stored]) for k in range(min(depth + 1, n_stored))]
    if depth >= n_stored:
        deeper = propagate_depth(joined[0], graph(run_dataset(_run)), depth)
        joined += [layer.astype(np.float32) for layer in deeper[n_stored:]]
    return joined


def joined_layers(run: Run, depth: int) -> Sequence[Any]:
    """x^0 .. x^depth with the modalities side by side, each (N, sum of d) float32.

    Layers beyond the stored ones are propagated on from x^0; for models with linear propagation only.
    """
    digest = run_dataset(run).digest
    return _joined_layers(str(run.path), run.layer_version, digest, depth, run)


@st.cache_data(max_entries=16, show_spinner=False)
def _joined_mad(path: str, version: str | None, digest: str, depth: int, _run: Run) -> pd.DataFrame:
    from rednd_core.smoothness import measure_layers

    return measure_layers(
        {"joined": joined_layers(_run, depth)},
        graph(run_dataset(_run)),
        measures=["mad"],
        views=["layer"],
    )


def joined_mad(run: Run, depth: int) -> pd.DataFrame:
    """MAD of users and of items at every depth of :func:`joined_layers`; a tenth of a second."""
    digest = run_dataset(run).digest
    return _joined_mad(str(run.path), run.layer_version, digest, depth, run)


@st.cache_data(max_entries=32, show_spinner="Ranking the items at every layer …")
def _layer_recall(
    path: str, version: str | None, digest: str, modality: str, depth: int | None, _run: Run
) -> pd.DataFrame:
    import numpy as np

    from rednd_core.evaluation.evaluate import evaluate
    from rednd_core.smoothness import propagate_depth

    index, of = layers(_run), run_dataset(_run)
    states: Sequence[Any] = index[modality]
    if depth is not None:
        states = propagate_depth(states[0], graph(of), depth)
    rows: list[tuple[str, int, float, int]] = []

    def add(view: str, depths: Sequence[int], users: Any, items: Any) -> None:
        result = evaluate(users, items, of.train_matrix, of.valid, [RECALL_K])
        value = result.metrics[f"recall@{RECALL_K}"]
        rows.extend((view, k, value, result.n_users) for k in depths)

    total = np.zeros_like(states[0], dtype=np.float64)
    for k, state in enumerate(states):
        total += state  # the mean of the layers 0..k ranks as their sum does
        readout = total if index.readout == "mean" else state
        add("layer", [k], state[: of.n_users], state[of.n_users :])
        add("readout", [k], readout[: of.n_users], readout[of.n_users :])
    popularity = of.item_degrees[:, None].astype(np.float64)
    add("popularity", range(len(states)), np.ones((of.n_users, 1)), popularity)
    return pd.DataFrame(rows, columns=["view", "layer", "value", "n"])


def layer_recall(run: Run, modality: str, depth: int | None = None) -> pd.DataFrame | None:
    """Recall@``RECALL_K`` on validation when the rows of one layer score by inner product.

    Args:
        depth: as in :func:`smoothness`.

    Returns:
        view (``layer``, ``readout``, or ``popularity``: ranked by train degree, for comparison),
        layer, value, n (users averaged over); None where the data set has no validation pair.
    """
    of = run_dataset(run)
    if not len(of.valid):
        return None
    return _layer_recall(str(run.path), run.layer_version, of.digest, modality, depth, run)


@st.cache_resource(max_entries=16, show_spinner=False)
def _agreement(
    path: str, version: str | None, digest: str, modality: str, view: str, kind: str, _run: Run
) -> list[Any]:
    from rednd_core.smoothness.agreement import neighbour_agreement, self_agreement

    states = view_layers(_run, modality, view)
    if kind == "self":
        return [self_agreement(state, states[0]) for state in states]
    of = graph(run_dataset(_run))
    return [neighbour_agreement(state, of) for state in states]


def agreement(run: Run, modality: str, view: str, kind: str) -> Sequence[Any]:
    """(N,) a layer: agreement with the neighbours or with x^0 (``rednd_core.smoothness.agreement``).

    Args:
        kind: ``"neighbours"`` or ``"self"``.
    """
    digest = run_dataset(run).digest
    return _agreement(str(run.path), run.layer_version, digest, modality, view, kind, run)
