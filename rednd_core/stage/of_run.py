"""From a run on disk to what the stage shows of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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
from rednd_core.stage.contents import Axis, Cast, StageRun, stage_run
from rednd_core.stage.depths import DEPTH, Vectors, each_vector
from rednd_core.stage.payload import Maps, stage_payload
from rednd_core.stage.world import World


def stage_of_run(
    run: Run,
    title: str,
    layers: LayerIndex,
    view: Vectors,
    *,
    cast: Cast,
    dataset: Dataset,
    graph: BipartiteGraph,
    modality: str | None = None,
) -> StageRun:
    """Look at every depth of a run.

    Args:
        layers: of the run.
        view: the output of each layer, or what would score if propagation stopped there.
        modality: its vectors alone; None puts all modalities side by side.
    """
    return stage_run(
        run.name,
        title,
        each_vector(layers, graph, view, reach(run), modality),
        (layers.user_emb, layers.item_emb),
        beyond_from=layers.facts.shared_depth,
        cast=cast,
        dataset=dataset,
        graph=graph,
    )


def reach(run: Run) -> int:
    """The depth to which the layers of a run can be continued; 0 where they cannot.

    That takes linear propagation, and interactions to propagate along.
    """
    facts, known = run.record.model, run.record.has_interactions
    return DEPTH if facts and facts.linear_propagation and known else 0


def stage_maps(
    found: StageRun, cast: Cast, dataset: Dataset, cache: ArrayCache, *, compute_umap: bool
) -> Maps:
    """Maps of all steps: PCA, and UMAP where the cache has it or it shall be computed."""
    maps = {"pca": PooledPCA().fit_transform(np.stack(found.rows))}
    sample = NodeSample(cast.nodes, dataset.n_users + dataset.n_items)
    stack = [SampledRows(sample, rows) for rows in found.rows]
    asked = project if compute_umap else find
    umap = asked(stack, "umap", sample, n_users=dataset.n_users, cache=cache)
    return maps if umap is None else maps | {"umap": umap.coords}


def named_payload(
    runs: Sequence[tuple[StageRun, Maps]],
    cast: Cast,
    axis: Axis,
    world: World,
    names: NodeNames,
    *,
    same_axes: bool = False,
) -> dict[str, Any]:
    """The stage as plain JSON, with the names of the whole data set."""
    return stage_payload(
        runs,
        cast,
        axis=axis,
        n_users=world.dataset.n_users,
        n_items=world.dataset.n_items,
        labels=lambda nodes: names.labels(world.nodes[nodes]),
        titles=lambda nodes: [str(title) for title in names.titles[world.nodes[nodes]]],
        keys=lambda nodes: names.keys(world.nodes[nodes]),
        of=(world.n_users, world.n_items),
        same_axes=same_axes,
    )


def depth_axis(runs: Sequence[StageRun]) -> Axis:
    """All depths of the deepest run."""
    return Axis("depth", tuple(range(max(run.n_steps for run in runs))))
