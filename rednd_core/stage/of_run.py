"""From a run on disk to what the stage shows of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Literal

import numpy as np

from rednd_core.cache import ArrayCache
from rednd_core.data.node_names import NodeNames
from rednd_core.data.schema import Dataset
from rednd_core.graph.bipartite import BipartiteGraph
from rednd_core.projection import NodeSample, find, project
from rednd_core.projection.pca import PooledPCA
from rednd_core.projection.sample import SampledRows
from rednd_core.runs import Run
from rednd_core.runs.layers import LayerIndex
from rednd_core.smoothness.depth import each_depth
from rednd_core.stage.contents import DEPTH, Cast, Layer, StageRun, stage_run
from rednd_core.stage.payload import Maps, stage_payload

Vectors = Literal["layer", "readout"]


def stage_of_run(
    run: Run,
    title: str,
    layers: LayerIndex,
    view: Vectors,
    *,
    cast: Cast,
    dataset: Dataset,
    graph: BipartiteGraph,
) -> StageRun:
    """Look at every depth of a run.

    Args:
        layers: of the run.
        view: the output of each layer, or what would score if propagation stopped there.
    """
    facts = run.record.model
    linear = bool(facts and facts.linear_propagation)
    each = layers_to_depth(layers, graph, DEPTH if linear else 0)
    return stage_run(
        run.name,
        title,
        each if view == "layer" else _readouts(layers, each),
        (layers.user_emb, layers.item_emb),
        trained_depth=layers.facts.shared_depth,
        cast=cast,
        dataset=dataset,
        graph=graph,
    )


def layers_to_depth(stored: LayerIndex, graph: BipartiteGraph, depth: int) -> Iterator[Layer]:
    """The stored layers, modalities side by side, and those that propagation alone adds up to ``depth``.

    Args:
        depth: below that of the run, the stored layers are all.
    """
    last = None
    for last in _side_by_side(stored):
        yield last
    if last is not None and stored.facts.shared_depth < depth:
        yield from islice(each_depth(last, graph, depth - stored.facts.shared_depth), 1, None)


def _readouts(stored: LayerIndex, layers: Iterator[Layer]) -> Iterator[Layer]:
    """What would score at each depth; where no rule gives it, no deeper than what the run recorded."""
    return _side_by_side(stored.recorded) if stored.recorded else stored.facts.readout.each(layers)


def _side_by_side(stacks: Mapping[str, Sequence[Layer]]) -> Iterator[Layer]:
    """Depth by depth, as far as every modality goes."""
    for parts in zip(*stacks.values(), strict=False):
        yield np.hstack(parts)


def stage_maps(
    found: StageRun, cast: Cast, dataset: Dataset, cache: ArrayCache, *, compute_umap: bool
) -> Maps:
    """Maps of all depths: PCA, and UMAP where the cache has it or it shall be computed."""
    maps = {"pca": PooledPCA().fit_transform(np.stack(found.rows))}
    sample = NodeSample(cast.nodes, dataset.n_users + dataset.n_items)
    stack = [SampledRows(sample, rows) for rows in found.rows]
    asked = project if compute_umap else find
    umap = asked(stack, "umap", sample, n_users=dataset.n_users, cache=cache)
    return maps if umap is None else maps | {"umap": umap.coords}


def named_payload(
    runs: list[tuple[StageRun, Maps]], cast: Cast, dataset: Dataset, names: NodeNames
) -> dict[str, Any]:
    """The stage as plain JSON, with the names of a data set."""
    return stage_payload(
        runs,
        cast,
        n_users=dataset.n_users,
        n_items=dataset.n_items,
        labels=names.labels,
        titles=lambda nodes: [str(title) for title in names.titles[nodes]],
        keys=names.keys,
    )
