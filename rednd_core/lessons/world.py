"""A world that lessons are taught in: a sample data set with its bundled runs, measured where it is asked."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rednd_core.config import PROJECT_ROOT
from rednd_core.data import load_recorded
from rednd_core.data.node_names import NodeNames
from rednd_core.data.schema import Dataset
from rednd_core.data.users import user_table
from rednd_core.errors import ConfigError
from rednd_core.graph.bipartite import BipartiteGraph, bipartite_graph
from rednd_core.runs import Run
from rednd_core.smoothness import measure_layers
from rednd_core.stage.depths import DEPTH, each_vector

RECALL_K = 20

Layer = NDArray[np.floating]


@dataclass(frozen=True)
class BundledWorld:
    """Where a world lies, and what it is called.

    Attributes:
        title: on buttons.
        plain, without, aligned: runs: LightGCN, RedNⁿD without its alignment, and with it.
        weights: runs of RedNⁿD that differ in the alignment weight alone, ascending.
        sample: a folder of ``sample_data``.
    """

    title: str
    sample: str
    plain: str
    without: str
    aligned: str
    weights: tuple[str, ...]


WORLDS = {
    "shop": BundledWorld(
        "A shop",
        "shop",
        "shop-lightgcn",
        "shop-rednnd-a0",
        "shop-rednnd-a0.1",
        ("shop-rednnd-a0", "shop-rednnd-a0.01", "shop-rednnd-a0.1"),
    ),
    "music": BundledWorld(
        "Music",
        "music",
        "music-lightgcn",
        "music-rednnd-a0",
        "music-rednnd-a0.1",
        ("music-rednnd-a0", "music-rednnd-a0.1"),
    ),
}


@dataclass(frozen=True, eq=False)
class LessonRun:
    """A run with its layers, continued to :data:`DEPTH`; all modalities side by side.

    Attributes:
        run: on disk.
        dataset, graph: what it was trained on.
    """

    run: Run
    dataset: Dataset
    graph: BipartiteGraph
    _curves: dict[tuple[str, str], dict[str, list[float]]] = field(default_factory=dict, repr=False)
    _recalls: dict[str, list[float]] = field(default_factory=dict, repr=False)

    @cached_property
    def layers(self) -> list[Layer]:
        """x^0 .. x^DEPTH, (N, d) each."""
        return list(each_vector(self.run.layers(), self.graph, "layer", DEPTH))

    @cached_property
    def readouts(self) -> list[Layer]:
        """z^0 .. z^DEPTH by the rule of the model."""
        return list(self.run.layers().facts.readout.each(self.layers))

    @cached_property
    def trained_depth(self) -> int:
        return self.run.layers().facts.shared_depth

    def curve(self, measure: str, side: str, view: str = "layer") -> list[float]:
        """A smoothness measure by depth, over the nodes with a train interaction."""
        if (measure, view) not in self._curves:
            found = measures_of(self.matrices(view), self.graph, measure)
            self._curves[measure, view] = found
        return self._curves[measure, view][side]

    def recall(self, view: str = "layer") -> list[float]:
        """Recall@20 on validation by depth, when the vectors of one depth alone score."""
        if view not in self._recalls:
            self._recalls[view] = [recall(x, self.dataset) for x in self.matrices(view)]
        return self._recalls[view]

    def matrices(self, view: str) -> list[Layer]:
        return self.layers if view == "layer" else self.readouts


def measures_of(
    matrices: Iterable[Layer], graph: BipartiteGraph, measure: str
) -> dict[str, list[float]]:
    """By side a measure of each of several matrices."""
    table = measure_layers({"joined": matrices}, graph, measures=[measure]).sort_values("layer")
    return {
        str(side): [float(value) for value in rows["value"]] for side, rows in table.groupby("side")
    }


def recall(x: Layer, dataset: Dataset) -> float:
    """Mean Recall@20 on validation when the rows of ``x`` (N, d) score by inner product."""
    from rednd_core.evaluation.evaluate import evaluate

    users, items = x[: dataset.n_users], x[dataset.n_users :]
    found = evaluate(users, items, dataset.train_matrix, dataset.valid, [RECALL_K])
    return float(found.values(f"recall@{RECALL_K}").mean())


def popularity(dataset: Dataset) -> Layer:
    """Vectors (N, 1) whose inner products rank the items by their train interactions."""
    ones = np.ones(dataset.n_users)
    return np.concatenate([ones, dataset.item_degrees])[:, None].astype(np.float32)


@dataclass(frozen=True, eq=False)
class Truth:
    """What was planted in a generated data set.

    Attributes:
        modality: the one that misleads for some items.
        kinds: names of the kinds of a feature row. kind: (n_items,) indices into it.
        category: (n_items,) the true category. shown: (n_items,) the category that the feature row tells.
        categories: their names.
    """

    modality: str
    kinds: tuple[str, ...]
    kind: NDArray[np.int64]
    category: NDArray[np.int64]
    shown: NDArray[np.int64]
    categories: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class World:
    """A sample data set with its runs.

    Attributes:
        name: a key of :data:`WORLDS`.
    """

    name: str
    bundled: BundledWorld
    dataset: Dataset
    graph: BipartiteGraph
    _runs: dict[str, LessonRun] = field(default_factory=dict, repr=False)

    @classmethod
    def load(cls, name: str) -> World:
        """Read the data set; runs are read when a lesson asks for them.

        Raises:
            ConfigError: no such world. RunError, DataError: its files are missing or have changed.
        """
        if name not in WORLDS:
            raise ConfigError(
                expected=f"a world of lessons: {', '.join(WORLDS)}",
                found=name,
                remedy="choose one of them",
            )
        bundled = WORLDS[name]
        record = Run(_folder(bundled) / "runs" / bundled.plain).record
        dataset = load_recorded(record.config.data, record.data_digest, record.pairs_digest)
        record.require_data(dataset.digest, dataset.pairs_digest)
        return cls(
            name, bundled, dataset, bipartite_graph(dataset.train, dataset.n_users, dataset.n_items)
        )

    def run(self, name: str) -> LessonRun:
        """One of the bundled runs, e.g. ``world.run(world.bundled.plain)``."""
        if name not in self._runs:
            run = Run(_folder(self.bundled) / "runs" / name, bundled=True)
            self._runs[name] = LessonRun(run, self.dataset, self.graph)
        return self._runs[name]

    @property
    def plain(self) -> LessonRun:
        return self.run(self.bundled.plain)

    @property
    def without(self) -> LessonRun:
        return self.run(self.bundled.without)

    @property
    def aligned(self) -> LessonRun:
        return self.run(self.bundled.aligned)

    @cached_property
    def names(self) -> NodeNames:
        return NodeNames.of(self.dataset, user_table(self.dataset))

    @cached_property
    def truth(self) -> Truth:
        """What was planted, from ``truth.json`` and ``truth.npz``."""
        folder = _folder(self.bundled)
        told: Mapping[str, Any] = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
        # The row of an item in the planted arrays is its original id.
        rows = np.asarray(self.dataset.item_ids).astype(np.int64)
        group_category = [group["category"] for group in told["groups"]]
        categories = tuple(dict.fromkeys(group_category))
        of_group = np.array([categories.index(name) for name in group_category])
        modality = told.get("misleading", "picture")
        with np.load(folder / "truth.npz", allow_pickle=False) as planted:
            return Truth(
                modality={"picture": "image"}.get(modality, modality),
                kinds=tuple(told[f"{modality}_kinds"]),
                kind=planted[f"{modality}_kind"][rows].astype(np.int64),
                category=of_group[planted["item_group"][rows]],
                shown=of_group[planted[f"{modality}_group"][rows]],
                categories=categories,
            )


def _folder(bundled: BundledWorld) -> Path:
    return PROJECT_ROOT / "sample_data" / bundled.sample
