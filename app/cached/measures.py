"""Measures of layers: smoothness, recall of every layer, agreement of every node."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, tee
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from app.cached.data import graph, run_dataset
from app.cached.depths import ALL, view_layers
from app.cached.runs import layers
from rednd_core.runs import Run

if TYPE_CHECKING:
    from rednd_core.projection.sample import SampledRows

RECALL_K = 20  # cut-off of the recall that is shown beside smoothness
RECALL_SCORES = 250_000_000  # of one layer; there are up to twice as many rankings as layers
JOINED_NODES = 2000  # a sample of large graphs
GAP_ROWS, GAP_PAIRS = 1024, 1 << 26  # rows that MADGap samples, and pairs that they may make
LEAST_GAP_ROWS = 128


@st.cache_data(max_entries=32, show_spinner="Measuring the layers …")
def _smoothness(
    path: str,
    version: str | None,
    digest: str,
    measures: tuple[str, ...],
    depth: int | None,
    modality: str | None,
    _run: Run,
) -> pd.DataFrame:
    from rednd_core.smoothness import measure_layers

    of = graph(run_dataset(_run))
    stacks = {m: _stacks(_run, m, depth) for m in ([modality] if modality else layers(_run))}
    n_rows = max(LEAST_GAP_ROWS, min(GAP_ROWS, GAP_PAIRS // of.n_nodes))
    return measure_layers(
        {m: states for m, (states, _) in stacks.items()},
        of,
        readouts={m: readouts for m, (_, readouts) in stacks.items()},
        measures=measures,
        n_rows=n_rows,
    )


def _stacks(run: Run, modality: str, depth: int | None) -> tuple[Iterable[Any], Iterable[Any]]:
    """The layers and the readouts of a run, or of x^0 propagated on to ``depth``.

    Further readouts follow from the layers by the model's rule alone. Both are read in step: neither is
    held as a whole.
    """
    from rednd_core.smoothness.depth import each_depth
    from rednd_core.stage.depths import each_vector

    index, of = layers(run), graph(run_dataset(run))
    one = None if modality == ALL else modality
    if depth is None:
        return each_vector(index, of, "layer", 0, one), each_vector(index, of, "readout", 0, one)
    start = next(each_vector(index, of, "layer", 0, one))
    deeper, again = tee(each_depth(start, of, depth))
    return deeper, index.facts.readout.each(again)


def smoothness(
    run: Run, measures: Sequence[str], depth: int | None = None, modality: str | None = None
) -> pd.DataFrame:
    """Some measures of every layer (see ``rednd_core.smoothness.measure_layers``).

    Args:
        measures: those that are going to be shown: on a large graph each of them is waited for.
        depth: where given, x^0 is propagated on to this depth instead of using the stored layers;
            for models with linear propagation only.
        modality: see :func:`app.cached.modalities`; None measures every modality by itself.
    """
    digest, version = run_dataset(run).digest, run.layer_version
    return _smoothness(str(run.path), version, digest, tuple(measures), depth, modality, run)


@st.cache_resource(max_entries=16, show_spinner="Measuring the layers …")
def _joined(
    path: str, version: str | None, digest: str, depth: int, _run: Run
) -> tuple[pd.DataFrame, Sequence[SampledRows]]:
    import numpy as np

    from rednd_core.projection import NodeSample, sample_nodes
    from rednd_core.projection.sample import SampledRows
    from rednd_core.smoothness import measure_layers
    from rednd_core.smoothness.depth import each_depth

    stored, data = layers(_run), run_dataset(_run)
    last = min(depth, stored.facts.shared_depth)
    of = graph(data)
    linked, connected = of.degrees > 0, of.connected
    drawn = sample_nodes(data.n_users, data.n_items, JOINED_NODES)
    sample = NodeSample(drawn.nodes[linked[drawn.nodes]], drawn.n_total)
    sampled: list[SampledRows] = []

    def side_by_side(k: int) -> Any:
        parts = [np.asarray(stored[m][k]) for m in stored]
        return np.hstack(parts) if len(parts) > 1 else parts[0]

    def each() -> Iterator[Any]:
        """The rows of the nodes that have an edge; of the others no layer beyond the stored is left."""
        for k in range(last + 1):
            whole = side_by_side(k)
            sampled.append(SampledRows(sample, whole[sample.nodes]))
            known = whole.compress(linked, axis=0)
            yield known
        places = np.cumsum(linked)[sample.nodes] - 1
        for layer in islice(each_depth(known, connected, depth - last), 1, None):
            rows = np.asarray(layer[places], dtype=np.float32)
            sampled.append(SampledRows(sample, rows))
            yield layer

    table = measure_layers({"joined": each()}, connected, measures=["mad"])
    return table, sampled


def joined_mad(run: Run, depth: int) -> pd.DataFrame:
    """MAD of users and of items of x^0 .. x^depth, the modalities side by side.

    Layers beyond the stored ones are propagated on from the last of them; for models with linear
    propagation only.
    """
    return _joined(str(run.path), run.layer_version, run_dataset(run).digest, depth, run)[0]


def n_isolated(run: Run) -> int:
    """Nodes without a train interaction: no layer beyond the first is left of them."""
    return int((graph(run_dataset(run)).degrees == 0).sum())


def joined_sample(run: Run, depth: int) -> Sequence[SampledRows]:
    """The same layers, of about ``JOINED_NODES`` nodes, each with a train interaction."""
    return _joined(str(run.path), run.layer_version, run_dataset(run).digest, depth, run)[1]


@st.cache_data(max_entries=32, show_spinner="Ranking the items at every layer …")
def _layer_recall(
    path: str,
    version: str | None,
    digest: str,
    modality: str,
    view: str,
    depth: int | None,
    _run: Run,
) -> pd.DataFrame:
    import numpy as np

    from rednd_core.evaluation.evaluate import evaluate
    from rednd_core.evaluation.sample import mean_ci, sample_held_out
    from rednd_core.stage.depths import n_vectors

    of = run_dataset(_run)
    held_out = sample_held_out(of.valid, of.n_items, RECALL_SCORES)

    n_all = len(np.unique(of.valid.users))

    def recall(state: Any) -> tuple[float, float, int]:
        users, items = state[: of.n_users], state[of.n_users :]
        result = evaluate(users, items, of.train_matrix, held_out, [RECALL_K])
        values = result.values(f"recall@{RECALL_K}")
        return float(values.mean()), mean_ci(values, n_all), result.n_users

    found: list[tuple[float, float, int]] = []
    if view == "popularity":
        one = None if modality == ALL else modality
        n_layers = n_vectors(layers(_run), "layer", 0, one) if depth is None else depth + 1
        same = np.concatenate([np.ones(of.n_users), of.item_degrees])[:, None]
        found = [recall(same)] * n_layers
    else:
        states, readouts = _stacks(_run, modality, depth)
        found = [recall(state) for state in (readouts if view == "readout" else states)]
    rows = [(view, k, *values) for k, values in enumerate(found)]
    return pd.DataFrame(rows, columns=["view", "layer", "value", "ci", "n"])


def layer_recall(
    run: Run, modality: str, view: str, depth: int | None = None
) -> pd.DataFrame | None:
    """Recall@``RECALL_K`` on validation when the rows of one layer score by inner product.

    Args:
        view: ``layer``, ``readout``, or ``popularity``: ranked by train degree, for comparison.
        depth: as in :func:`smoothness`.

    Returns:
        view, layer, value, ci, n (users averaged over: on large data a sample, with the half-width of
        its 95 % interval); None where the data set has no validation pair.
    """
    of = run_dataset(run)
    if not len(of.valid):
        return None
    return _layer_recall(str(run.path), run.layer_version, of.digest, modality, view, depth, run)


@st.cache_resource(max_entries=64, show_spinner=False)
def _agreement(
    path: str,
    version: str | None,
    digest: str,
    modality: str,
    view: str,
    kind: str,
    layer: int,
    _run: Run,
) -> Any:
    from rednd_core.smoothness.agreement import neighbour_agreement, self_agreement

    states = view_layers(_run, modality, view)
    if kind == "self":
        return self_agreement(states[layer], states[0])
    return neighbour_agreement(states[layer], graph(run_dataset(_run)))


def agreement(run: Run, modality: str, view: str, kind: str, layer: int) -> Any:
    """(N,) agreement with the neighbours or with x^0 (``rednd_core.smoothness.agreement``).

    Args:
        modality, view: see :func:`app.cached.view_layers`.
        kind: ``"neighbours"`` or ``"self"``.
    """
    digest = run_dataset(run).digest
    return _agreement(str(run.path), run.layer_version, digest, modality, view, kind, layer, run)


@st.cache_resource(max_entries=256, show_spinner=False)
def _neighbours(
    path: str,
    version: str | None,
    modality: str,
    view: str,
    layer: int,
    node: int,
    k: int,
    among: str,
    _run: Run,
) -> tuple[Any, Any]:
    import numpy as np

    from rednd_core.projection import neighbours as nearest

    array, n_users = view_layers(_run, modality, view)[layer], len(layers(_run).user_emb)
    pools = {"users": np.arange(n_users), "items": np.arange(n_users, len(array)), "both": None}
    return nearest(array, node, k, pools[among])


def neighbours(
    run: Run, modality: str, view: str, layer: int, node: int, k: int, among: str
) -> tuple[Any, Any]:
    """The nearest nodes of ``node`` at one layer, and their cosines; each (k,).

    Args:
        view: see :func:`app.cached.view_layers`.
        among: ``"users"``, ``"items"`` or ``"both"``.
    """
    return _neighbours(str(run.path), run.layer_version, modality, view, layer, node, k, among, run)


@st.cache_data(max_entries=64, show_spinner=False)
def _mean_cosine(
    path: str, version: str | None, modality: str, view: str, layer: int, _run: Run
) -> float | None:
    from rednd_core.cosine import mean_cosine as of_pairs

    return of_pairs(view_layers(_run, modality, view)[layer])


def mean_cosine(run: Run, modality: str, view: str, layer: int) -> float | None:
    """Mean cosine over all pairs of nodes at one layer (see ``rednd_core.cosine``)."""
    return _mean_cosine(str(run.path), run.layer_version, modality, view, layer, run)
