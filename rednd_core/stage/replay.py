"""From the snapshots of one or two runs to what the stage shows of them over the epochs, at one depth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import islice

import numpy as np

from rednd_core.cache import ArrayCache
from rednd_core.data.schema import Dataset
from rednd_core.errors import RunError
from rednd_core.graph.bipartite import BipartiteGraph
from rednd_core.projection.pca import PooledPCA
from rednd_core.runs import Run, Snapshots
from rednd_core.runs.facts import ModelFacts
from rednd_core.stage.contents import Axis, Cast, Layer, StageRun, stage_run
from rednd_core.stage.depths import DEPTH, Vectors, to_depth
from rednd_core.stage.of_run import stage_maps
from rednd_core.stage.payload import Maps
from rednd_core.stage.world import World

MOST_STEPS = 20
"""Epochs on one stage, of which two runs stay below the bytes of a stage."""


@dataclass(frozen=True, eq=False)
class Source:
    """A run with snapshots."""

    run: Run
    title: str
    snapshots: Snapshots
    facts: ModelFacts

    @classmethod
    def of(cls, run: Run, title: str) -> Source:
        """The snapshots of a run as they lie there now.

        Raises:
            RunError: the run keeps none.
        """
        snapshots, facts = run.snapshots(), run.record.model
        if snapshots is None or facts is None or not snapshots.epochs:
            raise RunError(
                expected=f"snapshots in the run {run.name}",
                found="none, as it was trained without them",
                remedy="train it again with snapshot_mb above 0, or choose a run that has snapshots",
            )
        return cls(run, title, snapshots, facts)

    @property
    def goes_on(self) -> bool:
        """Whether deeper layers follow from those that are kept."""
        return self.snapshots.is_complete and self.facts.linear_propagation

    @property
    def deepest(self) -> int:
        """The deepest layer that can be shown."""
        kept = min(map(len, self.snapshots.index.widths.values())) - 1
        return max(DEPTH, self.facts.shared_depth, kept) if self.goes_on else kept

    @property
    def has_readouts(self) -> bool:
        """Whether what would score at a depth follows from the layers."""
        return self.facts.readout_widths is None and self.facts.has_own_readout

    def vectors(
        self,
        epoch: int,
        depth: int,
        view: Vectors,
        graph: BipartiteGraph,
        modality: str | None = None,
    ) -> Layer:
        """The rows of ``snapshots.nodes`` after an epoch.

        Args:
            modality: its vectors alone; None puts all modalities side by side.
        """
        layers = self.snapshots.layers(epoch)
        stacks = list(layers.values()) if modality is None else [layers[modality]]
        each = to_depth([*stacks], graph, depth if self.goes_on else 0)
        if view == "readout":
            each = self.facts.readout.each(each)
        return next(islice(each, depth, None))


def shared_epochs(sources: Sequence[Source]) -> list[tuple[int, ...]]:
    """The epochs of each run: those that all have, then those after the end of the shorter training.

    So the epochs of every run begin like those of the longest. Of more than :data:`MOST_STEPS` some are left
    out between the first and the last.

    Raises:
        RunError: no epoch in common.
    """
    kept = [source.snapshots.epochs for source in sources]
    first_end = min(epochs[-1] for epochs in kept)
    common = set.intersection(*map(set, kept))
    if not common:
        raise RunError(
            expected="runs with snapshots of the same epochs",
            found="none in common",
            remedy="show one run alone",
        )
    axis = sorted(common | {epoch for epochs in kept for epoch in epochs if epoch > first_end})
    places = np.linspace(0, len(axis) - 1, min(len(axis), MOST_STEPS)).round().astype(int)
    shown = [axis[place] for place in places]
    return [tuple(epoch for epoch in shown if epoch in epochs) for epochs in kept]


def axis_of(epochs: Sequence[tuple[int, ...]]) -> Axis:
    return Axis("epoch", max(epochs, key=len))


def shared_world(sources: Sequence[Source], dataset: Dataset, graph: BipartiteGraph) -> World:
    """The nodes that the snapshots of all runs have."""
    nodes = reduce(np.intersect1d, [source.snapshots.nodes for source in sources])
    return World.of(nodes.astype(np.int64), dataset, graph)


def cast_of(world: World, follow: int | None) -> Cast:
    """Who is on the stage; of a sample no recall, as its lists rank a part of the items.

    Args:
        follow: a user of the whole data set.
    """
    asked = None if follow is None else world.place(follow)
    if world.is_whole:
        return Cast.of(world.dataset, world.graph, asked)
    cast = Cast.of(world.dataset, world.graph, asked, with_held_out=False)
    nothing = replace(cast.judged, users=cast.judged.users[:0], items=cast.judged.items[:0])
    return replace(cast, judged=nothing)


def stage_over_epochs(
    source: Source,
    epochs: Sequence[int],
    depth: int,
    view: Vectors,
    *,
    cast: Cast,
    world: World,
    graph: BipartiteGraph,
    modality: str | None = None,
) -> StageRun:
    """Look at one layer of a run after every one of ``epochs``.

    Args:
        graph: of the whole data set.
        modality: its vectors alone; None puts all modalities side by side.
    """
    rows = np.searchsorted(source.snapshots.nodes, world.nodes)
    stored = source.run.layers()
    users = world.nodes[: world.dataset.n_users]
    items = world.nodes[world.dataset.n_users :] - world.n_users
    best = source.run.status.best_epoch
    found = stage_run(
        source.run.name,
        source.title,
        (source.vectors(epoch, depth, view, graph, modality)[rows] for epoch in epochs),
        (stored.user_emb[users], stored.item_emb[items]),
        beyond_from=len(epochs) - 1 if best is None else float(_place(best, epochs)),
        cast=cast,
        dataset=world.dataset,
        graph=world.graph,
    )
    return found if world.is_whole else replace(found, whole=_validation(source.run, epochs))


def _place(epoch: int, epochs: Sequence[int]) -> float:
    """Where an epoch is among the steps, also between two of them."""
    return float(np.interp(epoch, epochs, np.arange(len(epochs))))


def _validation(run: Run, epochs: Sequence[int]) -> tuple[str, tuple[float, ...]]:
    """The metric that selects the best epoch, of the whole model after each of ``epochs``."""
    metric = run.config.training.select_by
    table = run.metrics()
    column = f"valid.{metric}"
    known = dict(zip(table["epoch"], table[column], strict=True)) if column in table else {}
    return metric, tuple(float(known.get(epoch, np.nan)) for epoch in epochs)


def replay_maps(
    runs: Sequence[StageRun], cast: Cast, world: World, cache: ArrayCache, *, compute_umap: bool
) -> list[Maps]:
    """Maps of all epochs. Two runs of one width share the axes of their PCA, see :func:`same_axes`."""
    maps = [
        dict(stage_maps(run, cast, world.dataset, cache, compute_umap=compute_umap)) for run in runs
    ]
    if len(runs) > 1 and same_axes(runs):
        pooled = PooledPCA().fit_transform(np.concatenate([np.stack(run.rows) for run in runs]))
        ends = np.cumsum([run.n_steps for run in runs])[:-1]
        for drawn, coords in zip(maps, np.split(pooled, ends), strict=True):
            drawn["pca"] = coords
    return list(maps)


def same_axes(runs: Sequence[StageRun]) -> bool:
    """Whether the vectors of all runs are of one width, so that one PCA can hold them."""
    return len({run.rows[0].shape[1] for run in runs}) == 1
