"""The Depth stage of one or two runs: computed once for all visitors, sent as one JSON text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

import streamlit as st

from app.cached.data import graph, node_names, run_dataset
from app.cached.runs import layers
from rednd_core.runs import Run

if TYPE_CHECKING:
    from rednd_core.stage.contents import Cast, StageRun


def _key(run: Run) -> tuple[str, str | None]:
    return str(run.path), run.layer_version


@st.cache_resource(max_entries=8, show_spinner=False)
def _cast(digest: str, follow: int | None, _run: Run) -> Any:
    from rednd_core.stage.contents import Cast

    data = run_dataset(_run)
    of = graph(data)
    usual = Cast.of(data, of)
    return usual if follow is None or follow in usual.users else Cast.of(data, of, follow)


def _layers_to_depth(run: Run) -> Iterator[Any]:
    """x^0 .. x^DEPTH, modalities side by side; only the stored ones where propagation is not linear."""
    from rednd_core.smoothness.depth import each_depth
    from rednd_core.stage.contents import DEPTH

    stored, facts = layers(run), run.record.model
    n_layers = stored.facts.shared_depth
    for depth in _side_by_side(stored):
        yield depth
    if facts is not None and facts.linear_propagation and n_layers < DEPTH:
        deeper = each_depth(depth, graph(run_dataset(run)), DEPTH - n_layers)
        yield from islice(deeper, 1, None)


def _side_by_side(stacks: Mapping[str, Sequence[Any]]) -> Iterator[Any]:
    """Depth by depth, as far as every modality goes."""
    import numpy as np

    for parts in zip(*stacks.values(), strict=False):
        yield np.hstack(parts)


def _readouts_to_depth(run: Run) -> Iterator[Any]:
    """What would score at each depth, modalities side by side; no deeper than what is known of it."""
    index = layers(run)
    if index.recorded:
        return _side_by_side(index.recorded)
    return index.facts.readout.each(_layers_to_depth(run))


@st.cache_resource(max_entries=8, show_spinner="Looking at every depth …")
def _stage_run(
    key: tuple[str, str | None], digest: str, follow: int | None, title: str, view: str, _run: Run
) -> Any:
    from rednd_core.stage.contents import stage_run

    data, index = run_dataset(_run), layers(_run)
    return stage_run(
        _run.name,
        title,
        _layers_to_depth(_run) if view == "layer" else _readouts_to_depth(_run),
        (index.user_emb, index.item_emb),
        trained_depth=index.facts.shared_depth,
        cast=_cast(digest, follow, _run),
        dataset=data,
        graph=graph(data),
    )


def _umap(run: Run, found: StageRun, of: Cast, compute: bool) -> Any:
    """Coordinates of all depths, or None where no cache has them and they shall not be computed."""
    from rednd_core.projection import NodeSample, find, kept_maps, project
    from rednd_core.projection.sample import SampledRows

    data = run_dataset(run)
    sample = NodeSample(of.nodes, data.n_users + data.n_items)
    stack = [SampledRows(sample, rows) for rows in found.rows]
    asked = project if compute else find
    drawn = asked(stack, "umap", sample, n_users=data.n_users, cache=kept_maps())
    return None if drawn is None else drawn.coords


@st.cache_data(max_entries=8, show_spinner="Drawing every depth …")
def _stage(
    keys: tuple[tuple[str, str | None], ...],
    digest: str,
    follow: int | None,
    titles: tuple[str, ...],
    view: str,
    with_umap: bool,
    _runs: Sequence[Run],
) -> tuple[str, bool]:
    import numpy as np

    from rednd_core.projection.pca import PooledPCA
    from rednd_core.stage.payload import stage_payload

    data, names = run_dataset(_runs[0]), node_names(_runs[0])
    of = cast("Cast", _cast(digest, follow, _runs[0]))
    shown = []
    for key, title, run in zip(keys, titles, _runs, strict=True):
        found = cast("StageRun", _stage_run(key, digest, follow, title, view, run))
        maps = {"pca": PooledPCA().fit_transform(np.stack(found.rows))}
        umap = _umap(run, found, of, with_umap)
        shown.append((found, maps if umap is None else maps | {"umap": umap}))
    payload = stage_payload(
        shown,
        of,
        n_users=data.n_users,
        n_items=data.n_items,
        labels=names.labels,
        titles=lambda nodes: [str(title) for title in names.titles[nodes]],
        keys=names.keys,
    )
    has_umap = all("umap" in maps for _, maps in shown)
    return json.dumps(payload, separators=(",", ":"), allow_nan=False), has_umap


def stage(
    runs: Sequence[tuple[Run, str]], view: str, follow: int | None, with_umap: bool
) -> tuple[str, bool]:
    """The stage of one or two runs on the same data, and whether UMAP is among its maps.

    Args:
        runs: each with its title.
        view: ``"layer"``, or ``"readout"`` for what would score if propagation stopped at layer k.
        follow: a user who must be among those whose lists are sent.
        with_umap: compute the UMAP where no cache has it; else it is left out there.
    """
    digest = run_dataset(runs[0][0]).digest
    keys = tuple(_key(run) for run, _ in runs)
    titles = tuple(title for _, title in runs)
    return _stage(keys, digest, follow, titles, view, with_umap, [run for run, _ in runs])
