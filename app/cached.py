"""Every cache of the app. Views reach the core's slow parts through this module only.

Caches are shared by all browser sessions: what comes out is never changed in place. Each key holds
everything that the value depends on; a run that is still training changes its ``layer_version``.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pandas as pd
import streamlit as st

from app.components.node_names import NodeNames
from rednd_core.cache import ArrayCache
from rednd_core.config import PROJECT_ROOT, DataConfig, resolve_data_path
from rednd_core.data.schema import Dataset
from rednd_core.data.tables import shorten
from rednd_core.errors import DataError
from rednd_core.graph.bipartite import BipartiteGraph
from rednd_core.projection.align import Movers
from rednd_core.projection.pair import AlignedPair
from rednd_core.projection.result import Projection
from rednd_core.runs import Follower, History, LayerIndex, Run, RunEntry, RunStore, default_store

if TYPE_CHECKING:
    from rednd_core.data import DataReport
    from rednd_core.evaluation.evaluate import Evaluation
    from rednd_core.evaluation.recommend import Recommendations

CACHE_DIR = Path(os.environ.get("REDND_CACHE") or PROJECT_ROOT / ".cache")
RECALL_K = 20  # cut-off of the recall that is shown beside smoothness


def store() -> RunStore:
    """The runs that the app shows: $REDND_RUNS or ./runs, and the bundled ones."""
    return default_store()


@st.cache_data(ttl=1.0, show_spinner=False)
def run_entries() -> Sequence[RunEntry]:
    """All runs, own ones first; at most a second old."""
    return list(store().list())


@st.cache_resource(max_entries=4, show_spinner="Loading the data set …")
def _dataset(config_json: str, signature: tuple[tuple[str, int, int], ...]) -> Dataset:
    from rednd_core.data import load_configured

    return load_configured(DataConfig.model_validate_json(config_json))


def dataset(config: DataConfig) -> Dataset:
    """A data set by its configuration; read again when a file of it changes."""
    return _dataset(config.model_dump_json(), _signature(config))


def _signature(config: DataConfig) -> tuple[tuple[str, int, int], ...]:
    """Name, time and size of every file of a data set."""
    place = resolve_data_path(config.path)
    folder = place if place.is_dir() else place.parent
    files = sorted(f for f in folder.glob("*") if f.is_file()) if folder.is_dir() else []
    stats = [(f.name, f.stat()) for f in files]
    return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats)


def run_dataset(run: Run) -> Dataset:
    """The data set that ``run`` was trained on.

    Raises:
        RunError: the data at the recorded path has other content by now.
    """
    record = run.record
    loaded = dataset(record.config.data)
    record.require_data(loaded.digest)
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
    return project(*request, **_projection_place(_run), **dict(settings))


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
    return find(*request, **_projection_place(run), **settings)


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


def _projection_place(run: Run) -> dict[str, Any]:
    bundled = sorted(PROJECT_ROOT.glob("sample_data/*/projections"))
    return {"n_users": len(layers(run).user_emb), "cache": ArrayCache(CACHE_DIR, bundled)}


@st.cache_resource(max_entries=4, show_spinner=False)
def _readouts(path: str, version: str | None, modality: str, _run: Run) -> list[Any]:
    import numpy as np

    total, means = 0.0, []
    for count, state in enumerate(layers(_run)[modality], start=1):
        total = total + np.asarray(state, dtype=np.float64)
        means.append((total / count).astype(np.float32))
    return means


def view_layers(run: Run, modality: str, view: str) -> Sequence[Any]:
    """x^0 .. x^L, each (N, d), of one modality.

    Args:
        view: ``"layer"`` for the output of each layer; ``"readout"`` for the mean of the layers 0..k,
            which is what a model with a mean readout scores with at depth k.
    """
    if view == "readout":
        return _readouts(str(run.path), run.layer_version, modality, run)
    return layers(run)[modality]


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


@st.cache_resource(max_entries=8, show_spinner="Drawing the maps …")
def _joined_map(
    path: str, version: str | None, digest: str, shown: tuple[int, ...], n: int, _run: Run
) -> Projection:
    from rednd_core.projection import project

    return project(*_joined_request(_run, shown, "pca", n), **_joined_place(_run))


def joined_map(run: Run, shown: Sequence[int], n: int) -> Projection:
    """PCA map of the depths ``shown`` of :func:`joined_layers`, of about ``n`` nodes."""
    digest = run_dataset(run).digest
    return _joined_map(str(run.path), run.layer_version, digest, tuple(shown), n, run)


def known_joined_umap(run: Run, shown: Sequence[int], n: int) -> Projection | None:
    """The same with UMAP where it is in a cache on disk; None where it would have to be computed."""
    from rednd_core.projection import find

    return find(*_joined_request(run, shown, "umap", n), **_joined_place(run))


def _joined_request(run: Run, shown: Sequence[int], method: str, n: int) -> tuple[Any, ...]:
    from rednd_core.projection import sample_nodes

    of = run_dataset(run)
    stack = joined_layers(run, max(shown))
    return [stack[k] for k in shown], method, sample_nodes(of.n_users, of.n_items, n)


def _joined_place(run: Run) -> dict[str, Any]:
    bundled = sorted(PROJECT_ROOT.glob("sample_data/*/projections"))
    return {"n_users": run_dataset(run).n_users, "cache": ArrayCache(CACHE_DIR, bundled)}


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


@st.cache_resource(show_spinner="Loading the models …")
def models() -> dict[str, Any]:
    """Model name -> its class. The first call imports torch, which takes seconds."""
    from rednd_core.models.registry import model_class, model_names

    return {name: model_class(name) for name in model_names()}


@st.cache_resource(max_entries=16, show_spinner=False)
def _follower(path: str, created: str, _run: Run) -> Follower:
    return Follower(_run)


def history(run: Run) -> History:
    """Epochs and events of a run as they stand, also while it is training."""
    created = run.record.provenance.created.isoformat()
    return _follower(str(run.path), created, run).look()


@st.cache_resource(max_entries=4, show_spinner=False)
def _node_names(
    config_json: str,
    signature: tuple[tuple[str, int, int], ...],
    _dataset: Dataset,
    _users: pd.DataFrame,
) -> NodeNames:
    return NodeNames.of(_dataset, _users)


def node_names(run: Run) -> NodeNames:
    """Names and ids of the nodes of the run's data set."""
    config = run.config.data
    return _node_names(config.model_dump_json(), _signature(config), run_dataset(run), users(run))


def _pair_key(
    run: Run, modality: str, other: Run, other_modality: str, layer: int, view: str
) -> tuple[Any, ...]:
    return (
        (str(run.path), run.layer_version, modality),
        (str(other.path), other.layer_version, other_modality),
        (layer, view),
    )


@st.cache_resource(max_entries=16, show_spinner="Turning the second run onto the first …")
def _aligned_pair(
    key: tuple[Any, ...], nodes: tuple[int, ...], n_users: int, _first: Any, _second: Any
) -> AlignedPair:
    import numpy as np

    from rednd_core.projection.pair import aligned_pair as align

    rows = np.asarray(nodes, dtype=np.int64)
    return align(_first[rows], _second[rows], rows < n_users)


def aligned_pair(
    run: Run,
    modality: str,
    other: Run,
    other_modality: str,
    layer: int,
    view: str,
    nodes: Sequence[int],
) -> AlignedPair:
    """``nodes`` in one layer of two runs, the second turned onto the first."""
    return _aligned_pair(
        _pair_key(run, modality, other, other_modality, layer, view),
        tuple(int(node) for node in nodes),
        len(layers(run).user_emb),
        view_layers(run, modality, view)[layer],
        view_layers(other, other_modality, view)[layer],
    )


@st.cache_data(max_entries=16, show_spinner="Comparing the neighbourhoods …")
def _movers(
    key: tuple[Any, ...], nodes: tuple[int, ...], k: int, _before: Any, _after: Any
) -> Movers:
    import numpy as np

    from rednd_core.projection import movers as rank

    rows = np.asarray(nodes, dtype=np.int64)
    return rank(_before[rows], _after[rows], k)


def movers(
    run: Run,
    modality: str,
    other: Run,
    other_modality: str,
    layer: int,
    view: str,
    nodes: Sequence[int],
    k: int,
) -> Movers:
    """``nodes`` by the change of their neighbourhoods (among ``nodes``) from ``run`` to ``other``."""
    key = _pair_key(run, modality, other, other_modality, layer, view)
    before = view_layers(run, modality, view)[layer]
    after = view_layers(other, other_modality, view)[layer]
    return _movers(key, tuple(int(node) for node in nodes), k, before, after)


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


CUT_OFFS = tuple(range(5, 51, 5))  # lengths of the lists on the page Recommendations
THUMBNAIL_PIXELS = 192  # twice the size on the page, for dense screens


@st.cache_resource(max_entries=16, show_spinner="Ranking every held-out item …")
def _evaluation(path: str, version: str | None, digest: str, split: str, _run: Run) -> Any:
    from rednd_core.evaluation.evaluate import evaluate

    index, of = layers(_run), run_dataset(_run)
    held_out = of.test if split == "test" else of.valid
    return evaluate(index.user_emb, index.item_emb, of.train_matrix, held_out, CUT_OFFS)


def evaluation(run: Run, split: str) -> Evaluation:
    """Exact ranks of the held-out pairs of ``"test"`` or ``"valid"``, metrics at ``CUT_OFFS``."""
    digest = run_dataset(run).digest
    return cast("Evaluation", _evaluation(str(run.path), run.layer_version, digest, split, run))


@st.cache_resource(max_entries=256, show_spinner=False)
def _recommendations(
    path: str, version: str | None, digest: str, split: str, user: int, k: int, _run: Run
) -> Any:
    from rednd_core.evaluation.recommend import recommend

    index, of = layers(_run), run_dataset(_run)
    held_out = of.test if split == "test" else of.valid
    return recommend(index.user_emb, index.item_emb, of.train_matrix, user, k, held_out)


def recommendations(run: Run, split: str, user: int, k: int) -> Recommendations:
    """The list of one user and the ranks of the held-out items that it missed."""
    digest = run_dataset(run).digest
    version = run.layer_version
    found = _recommendations(str(run.path), version, digest, split, user, k, run)
    return cast("Recommendations", found)


@st.cache_resource(max_entries=16, show_spinner="Comparing the slices …")
def _slices(
    paths: tuple[tuple[str, str | None], ...],
    digest: str,
    split: str,
    metric: str,
    _runs: Sequence[Run],
) -> pd.DataFrame:
    from rednd_core.evaluation.overview import slice_overview

    found = {run.name: evaluation(run, split) for run in _runs}
    return slice_overview(found, metric, run_dataset(_runs[0]).item_degrees)


def slices(runs: Sequence[Run], split: str, metric: str) -> pd.DataFrame:
    """A metric on every slice of users and items (see ``evaluation.overview``), one or two runs."""
    keys = tuple((str(run.path), run.layer_version) for run in runs)
    return _slices(keys, run_dataset(runs[0]).digest, split, metric, runs)


@st.cache_resource(max_entries=4, show_spinner=False)
def _users(digest: str, stamp: tuple[str, int, int] | None, key: str, _dataset: Dataset) -> Any:
    from rednd_core.config import ColumnNames
    from rednd_core.data.users import user_table

    return user_table(_dataset, ColumnNames(user=key))


def users(run: Run) -> pd.DataFrame:
    """Original ids of a run's users, and what a users table beside the data says of them."""
    from rednd_core.config import ColumnNames
    from rednd_core.data.users import users_file

    of = run_dataset(run)
    file = users_file(of)
    stat = file.stat() if file else None
    stamp = (str(file), stat.st_mtime_ns, stat.st_size) if stat else None
    key = (run.config.data.columns or ColumnNames()).user
    return cast("pd.DataFrame", _users(of.digest, stamp, key, of))


@st.cache_data(max_entries=4096, show_spinner=False)
def _thumbnail(path: str, stamp: int) -> str | None:
    import base64
    import io

    from PIL import Image

    file = io.BytesIO()
    try:
        with Image.open(path) as picture:
            picture.draft("RGB", (THUMBNAIL_PIXELS, THUMBNAIL_PIXELS))
            picture.thumbnail((THUMBNAIL_PIXELS, THUMBNAIL_PIXELS))
            opaque = picture.mode in ("RGB", "L")
            kind, mode = ("JPEG", "RGB") if opaque else ("PNG", "RGBA")
            picture.convert(mode).save(file, kind, quality=88)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None  # not a picture, or a hostile one: the card goes without
    return f"data:image/{kind.lower()};base64,{base64.b64encode(file.getvalue()).decode()}"


def thumbnail(path: str) -> str | None:
    """A local picture as a small data URI; None where the file is no readable picture.

    A URI, because ``st.image`` would scale bytes down again, at every run and to blurry pixels.
    """
    return _thumbnail(path, Path(path).stat().st_mtime_ns)


@st.cache_data(max_entries=8, show_spinner="Checking the data …")
def _data_report(config_json: str, signature: tuple[tuple[str, int, int], ...]) -> DataReport:
    from rednd_core.data import check

    config = DataConfig.model_validate_json(config_json)
    return check(config.path, config.split, config.split_seed, config.ratios, config.columns)


def data_report(config: DataConfig) -> DataReport:
    """What a data set holds and what is wrong with it; looked at again when a file of it changes."""
    try:
        signature = _signature(config)
    except (OSError, ValueError, RuntimeError) as error:
        raise DataError(
            expected="a readable data folder or file",
            found=shorten(str(error), 120),
            remedy="check the path and its permissions",
        ) from None
    return _data_report(config.model_dump_json(), signature)
