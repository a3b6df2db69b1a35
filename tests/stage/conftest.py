"""A tiny world with an isolated node on each side, and vectors at three depths."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from rednd_core.data.schema import Dataset
from rednd_core.graph.bipartite import BipartiteGraph, bipartite_graph
from rednd_core.smoothness import propagate_depth
from rednd_core.stage.contents import Cast, StageRun, stage_run

N_USERS, N_ITEMS = 8, 15
TRAIN = [
    (u, i) for u in range(7) for i in range(14) if (3 * u + i) % 4 == 0
]  # not user 7, not item 14
VALID = [(u, i) for u in range(6, -1, -1) for i in range(14) if (3 * u + i) % 5 == 1]
VALID = [pair for pair in VALID if pair not in TRAIN]


@dataclass(frozen=True)
class World:
    dataset: Dataset
    graph: BipartiteGraph
    layers: list[np.ndarray]
    scoring: tuple[np.ndarray, np.ndarray]
    cast: Cast

    def run(self, name: str = "a", layers: list[np.ndarray] | None = None) -> StageRun:
        return stage_run(
            name,
            f"Run {name}",
            iter(self.layers if layers is None else layers),
            self.scoring,
            beyond_from=1,
            cast=self.cast,
            dataset=self.dataset,
            graph=self.graph,
        )


@pytest.fixture
def world(make_dataset) -> World:
    dataset = make_dataset(N_USERS, N_ITEMS, TRAIN, VALID)
    graph = bipartite_graph(dataset.train, N_USERS, N_ITEMS)
    start = np.random.default_rng(2).normal(size=(graph.n_nodes, 4)).astype(np.float32)
    layers = [x.astype(np.float32) for x in propagate_depth(start, graph, 3)]
    scoring = layers[1][:N_USERS], layers[1][N_USERS:]
    return World(dataset, graph, layers, scoring, Cast.of(dataset, graph))
