"""The Depth stage of one or two runs: computed once for all visitors, sent as one JSON text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import streamlit as st

from app.cached.data import graph, node_names, run_dataset
from app.cached.depths import ALL, Vectors
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
    return Cast.of(data, graph(data), follow)


def _unusual(run: Run, follow: int | None) -> int | None:
    """The user who must be added to those whom every stage shows; None where all share one stage."""
    digest = run_dataset(run).digest
    return None if follow is None or follow in _cast(digest, None, run).users else follow


@st.cache_resource(max_entries=8, show_spinner="Looking at every depth …")
def _stage_run(
    key: tuple[str, str | None],
    digest: str,
    follow: int | None,
    title: str,
    view: Vectors,
    modality: str,
    _run: Run,
) -> Any:
    from rednd_core.stage.of_run import stage_of_run

    data = run_dataset(_run)
    return stage_of_run(
        _run,
        title,
        layers(_run),
        view,
        cast=_cast(digest, follow, _run),
        dataset=data,
        graph=graph(data),
        modality=None if modality == ALL else modality,
    )


@st.cache_data(max_entries=8, show_spinner="Drawing every depth …")
def _stage(
    keys: tuple[tuple[str, str | None], ...],
    digest: str,
    follow: int | None,
    titles: tuple[str, ...],
    modalities: tuple[str, ...],
    view: Vectors,
    with_umap: bool,
    _runs: Sequence[Run],
) -> tuple[str, bool]:
    from rednd_core.projection import default_map_cache
    from rednd_core.stage.of_run import depth_axis, named_payload, stage_maps
    from rednd_core.stage.world import World

    data = run_dataset(_runs[0])
    of = cast("Cast", _cast(digest, follow, _runs[0]))
    shown = []
    for key, title, modality, run in zip(keys, titles, modalities, _runs, strict=True):
        found = cast("StageRun", _stage_run(key, digest, follow, title, view, modality, run))
        maps = stage_maps(found, of, data, default_map_cache(), compute_umap=with_umap)
        shown.append((found, maps))
    axis = depth_axis([found for found, _ in shown])
    payload = named_payload(shown, of, axis, World.whole(data, graph(data)), node_names(_runs[0]))
    return _text(payload), all("umap" in maps for _, maps in shown)


def _text(payload: dict[str, Any]) -> str:
    return json.dumps(payload, separators=(",", ":"), allow_nan=False)


def stage(
    runs: Sequence[tuple[Run, str, str]], view: Vectors, follow: int | None, with_umap: bool
) -> tuple[str, bool]:
    """The stage of one or two runs on the same data over the depths, and whether it has a UMAP.

    Args:
        runs: each with its title and its modality, see :func:`app.cached.modalities`.
        view: ``"layer"``, or ``"readout"`` for what would score if propagation stopped at layer k.
        follow: a user who must be among those whose lists are sent.
        with_umap: compute the UMAP where no cache has it; else it is left out there.
    """
    digest = run_dataset(runs[0][0]).digest
    shown, titles, modalities = zip(*runs, strict=True)
    keys, added = tuple(map(_key, shown)), _unusual(runs[0][0], follow)
    return _stage(keys, digest, added, titles, modalities, view, with_umap, shown)


def sources(runs: Sequence[tuple[Run, str, str]]) -> list[Any]:
    """The snapshots of runs, each a ``stage.replay.Source``, as they lie there now.

    Args:
        runs: as in :func:`stage`.

    Raises:
        RunError: one of the runs keeps none.
    """
    from rednd_core.stage.replay import Source

    return [Source.of(run, title) for run, title, _ in runs]


@st.cache_data(max_entries=8, show_spinner="Drawing every epoch …")
def _replay(
    keys: tuple[tuple[str, str, str | None], ...],
    titles: tuple[str, ...],
    modalities: tuple[str, ...],
    depth: int,
    view: Vectors,
    follow: int | None,
    with_umap: bool,
    _sources: Sequence[Any],
) -> tuple[str, bool]:
    from rednd_core.projection import default_map_cache
    from rednd_core.stage import replay
    from rednd_core.stage.of_run import named_payload

    run = _sources[0].run
    data = run_dataset(run)
    of = graph(data)
    world = replay.shared_world(_sources, data, of)
    seen = replay.cast_of(world, follow)
    epochs = replay.shared_epochs(_sources)
    runs = [
        replay.stage_over_epochs(
            each,
            own,
            depth,
            view,
            cast=seen,
            world=world,
            graph=of,
            modality=None if modality == ALL else modality,
        )
        for each, own, modality in zip(_sources, epochs, modalities, strict=True)
    ]
    maps = replay.replay_maps(runs, seen, world, default_map_cache(), compute_umap=with_umap)
    payload = named_payload(
        list(zip(runs, maps, strict=True)),
        seen,
        replay.axis_of(epochs),
        world,
        node_names(run),
        same_axes=replay.same_axes(runs),
    )
    return _text(payload), all("umap" in drawn for drawn in maps)


def replay_of(
    snapshots: Sequence[Any],
    modalities: Sequence[str],
    depth: int,
    view: Vectors,
    follow: int | None,
    with_umap: bool,
) -> tuple[str, bool]:
    """The stage of one or two runs on the same data over the epochs, and whether it has a UMAP.

    Args:
        snapshots: of :func:`sources`. modalities: one for each, see :func:`app.cached.modalities`.
        depth: the layer that is shown. The others are as in :func:`stage`.
    """
    keys = tuple((str(of.run.path), of.snapshots.version, of.run.layer_version) for of in snapshots)
    titles = tuple(of.title for of in snapshots)
    return _replay(keys, titles, tuple(modalities), depth, view, follow, with_umap, snapshots)
