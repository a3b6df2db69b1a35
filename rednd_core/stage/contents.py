"""What the Depth stage shows of one run: its steps become maps, lines and lists, one of each a step.

A step is a matrix of vectors of all nodes: the layer of one depth, or a layer after one epoch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rednd_core.data.schema import Dataset, IntArray, Interactions
from rednd_core.evaluation.evaluate import Evaluation, evaluate
from rednd_core.evaluation.ranking import held_out_ranks, top_k
from rednd_core.evaluation.sample import mean_ci, sample_held_out
from rednd_core.graph.bipartite import BipartiteGraph
from rednd_core.projection.sample import sample_linked
from rednd_core.smoothness import measure_layers

LIST_LENGTH = 10
RECALL_K = 20
MOST_NODES = 2_000
"""Nodes on a map, users and items in their true proportion."""
MOST_USERS = 1_000
"""Users whose lists are sent to the browser."""
RECALL_SCORES = 20_000_000
"""User-item scores of one step, from which its recall is computed."""
MEASURES = ("mad", "effective_rank")

Layer = NDArray[np.floating]


@dataclass(frozen=True)
class Axis:
    """What the slider moves over.

    Attributes:
        steps: ascending depths or epochs; the steps of every run on the stage begin like these.
    """

    name: Literal["depth", "epoch"]
    steps: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Cast:
    """Which nodes and users the stage shows: the same in all its runs.

    Attributes:
        nodes: (n,) ascending node numbers on the maps, each with a train interaction.
        users: (u,) ascending dense ids whose lists can be followed.
        held_out: the validation pairs of ``users``, ordered by user.
        judged: the validation pairs that recall is computed from.
        n_judgeable: users with validation pairs, of whom ``judged`` may be a sample.
        n_pairs: validation pairs in all.
        n_isolated: nodes without a train interaction, which no map shows.
    """

    nodes: IntArray
    users: IntArray
    held_out: Interactions
    judged: Interactions
    n_judgeable: int
    n_pairs: int
    n_isolated: int

    @property
    def judges_all_listed(self) -> bool:
        """Whether recall is computed from the very pairs that are shown, so that they are ranked once."""
        return len(self.judged) == len(self.held_out) == self.n_pairs

    @classmethod
    def of(
        cls,
        dataset: Dataset,
        graph: BipartiteGraph,
        follow: int | None = None,
        *,
        with_held_out: bool = True,
    ) -> Cast:
        """Choose at random, always in the same way.

        Args:
            follow: a user who must be among them, whatever the draw.
            with_held_out: whether users without validation pairs are left out where others have some.
        """
        linked = np.flatnonzero(graph.degrees)
        nodes = sample_linked(graph.degrees > 0, dataset.n_users, MOST_NODES).nodes
        able = np.unique(dataset.valid.users)
        candidates = able if len(able) and with_held_out else np.arange(dataset.n_users)
        users = _drawn(candidates, MOST_USERS)
        if follow is not None:
            users = np.union1d(users, [follow])
            nodes = np.union1d(nodes, [follow] if graph.degrees[follow] else [])
        kept = np.isin(dataset.valid.users, users)
        pairs = Interactions(dataset.valid.users[kept], dataset.valid.items[kept])
        order = np.argsort(pairs.users, kind="stable")
        return cls(
            nodes=nodes.astype(np.int64),
            users=users.astype(np.int64),
            held_out=Interactions(pairs.users[order], pairs.items[order]),
            judged=sample_held_out(dataset.valid, dataset.n_items, RECALL_SCORES),
            n_judgeable=len(able),
            n_pairs=len(dataset.valid),
            n_isolated=graph.n_nodes - len(linked),
        )


def _drawn(of: IntArray, most: int) -> IntArray:
    if len(of) <= most:
        return of
    return np.sort(np.random.default_rng(0).choice(of, most, replace=False))


@dataclass(frozen=True, eq=False)
class Lists:
    """Lists of the users of a :class:`Cast`, when the vectors of one step alone score.

    Attributes:
        items: (K, u, LIST_LENGTH) dense item ids, best first; -1 where a user has fewer unseen items.
        ranks: (K, p) rank of every pair of ``Cast.held_out``, 1 is best.
        own: (u, LIST_LENGTH) the list of the whole model, as it was trained to score.
    """

    items: IntArray
    ranks: IntArray
    own: IntArray


@dataclass(frozen=True, eq=False)
class StageRun:
    """One run on the stage; K steps.

    Attributes:
        beyond_from: the step with the trained depth, or with the best epoch; the steps after it are marked.
        rows: K arrays (n, d), the vectors of ``Cast.nodes``; of narrower steps the last columns are 0.
        measures: the table of ``measure_layers``, a layer a step, all nodes with a train interaction.
        recall: a row a step: ``value``, ``ci`` (NaN where every user counts), ``n`` users; empty without
            validation pairs.
        whole: a validation metric and its value for the whole model at each step, where it is shown.
    """

    name: str
    title: str
    beyond_from: float
    rows: Sequence[Layer]
    measures: pd.DataFrame
    recall: pd.DataFrame
    lists: Lists
    whole: tuple[str, tuple[float, ...]] | None = None

    @property
    def n_steps(self) -> int:
        return len(self.rows)


@dataclass
class _Collected:
    """What is kept of the steps while they go by, as a large graph has room for few of them."""

    cast: Cast
    dataset: Dataset
    rows: list[Layer] = field(default_factory=list)
    items: list[IntArray] = field(default_factory=list)
    ranks: list[IntArray] = field(default_factory=list)
    recall: list[tuple[float, float, int]] = field(default_factory=list)

    def each(self, layers: Iterable[Layer]) -> Iterator[Layer]:
        """The layers themselves, each looked at once."""
        for layer in layers:
            self._look(layer)
            yield layer

    def _look(self, layer: Layer) -> None:
        cast, data = self.cast, self.dataset
        self.rows.append(np.ascontiguousarray(layer[cast.nodes], dtype=np.float32))
        users, items = layer[: data.n_users], layer[data.n_users :]
        self.items.append(top_k(users, items, data.train_matrix, cast.users, LIST_LENGTH)[0])
        ranks = held_out_ranks(users, items, data.train_matrix, cast.held_out)
        self.ranks.append(ranks)
        if len(cast.judged):
            if cast.judges_all_listed:
                found = Evaluation(cast.held_out, ranks, (RECALL_K,), data.user_degrees[cast.users])
            else:
                found = evaluate(users, items, data.train_matrix, cast.judged, [RECALL_K])
            self.recall.append(_mean_recall(found, cast.n_judgeable))


def _mean_recall(found: Evaluation, n_all: int) -> tuple[float, float, int]:
    values = found.values(f"recall@{RECALL_K}")
    return float(values.mean()), mean_ci(values, n_all), found.n_users


def stage_run(
    name: str,
    title: str,
    layers: Iterable[Layer],
    scoring: tuple[Layer, Layer],
    *,
    beyond_from: float,
    cast: Cast,
    dataset: Dataset,
    graph: BipartiteGraph,
) -> StageRun:
    """Look at every step of one run once.

    Args:
        layers: K of them, each with N rows, users first; several modalities side by side. Read one at a
            time.
        scoring: the vectors that the whole model scores with, (n_users, D) and (n_items, D).
        beyond_from: the step after which steps are marked.
    """
    seen = _Collected(cast, dataset)
    measures = measure_layers({"joined": seen.each(layers)}, graph, measures=MEASURES)
    own, _ = top_k(*scoring, dataset.train_matrix, cast.users, LIST_LENGTH)
    return StageRun(
        name=name,
        title=title,
        beyond_from=beyond_from,
        rows=_equally_wide(seen.rows),
        measures=measures,
        recall=pd.DataFrame(seen.recall, columns=["value", "ci", "n"]),
        lists=Lists(np.stack(seen.items), np.stack(seen.ranks), own),
    )


def _equally_wide(rows: Sequence[Layer]) -> list[Layer]:
    """Narrower steps with columns of zeros, so that one map can hold all of them."""
    width = max(layer.shape[1] for layer in rows)
    return [np.pad(layer, ((0, 0), (0, width - layer.shape[1]))) for layer in rows]
