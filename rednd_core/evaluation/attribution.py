"""Where a score comes from: exact parts of the score of one user and one item.

For a model that is linear in its layers (see ``evaluation.linear``) the score is a sum in three ways:

- over the user's own vector and the user's train items: z_u = w_0 x_u^0 + sum over train items i of
  B_ui sum over l = 1..L of w_l x_i^(l-1);
- likewise over the item's own vector, the train users of the item, and the item graph;
- over pairs of layers (a, b): w_a w_b <x_u^a, x_i^b>, and over a for the item graph.

The equations use the layers as they are given. So a model that is not linear has the same table, and
``Attribution.off`` says by how much its parts miss the score.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rednd_core.data.schema import IntArray
from rednd_core.errors import DataError
from rednd_core.evaluation.linear import Array, blocks, user_shares, weighted_sum
from rednd_core.evaluation.scoring import TrainMatrix, check_ids

OWN, ITEM_GRAPH, TRAIN_ITEM, TRAIN_USER = "own vector", "item graph", "train item", "train user"
TOLERANCE = 1e-5
"""Of the score, and of 1 where the score is smaller: layers are stored as float32."""


@dataclass(frozen=True, eq=False)
class Attribution:
    """The parts of ``score``.

    Attributes:
        by_history: ``modality``, ``part`` (:data:`OWN` or :data:`TRAIN_ITEM`), ``item`` (-1 for the own
            vector), ``value``, and ``item_graph``: how much of the value the item graph carries.
        by_audience: ``modality``, ``part`` (:data:`OWN`, :data:`TRAIN_USER` or :data:`ITEM_GRAPH`),
            ``user`` (-1 for the other two), ``value``.
        by_layers: modality -> (L + 1, L + 1): row a is the user's layer, column b the item's.
        by_item_graph: modality -> (L + 1,): the item graph's part by the user's layer.
        other: part of columns of the embedding that belong to no modality, such as an item bias.
        off: the score minus a sum of parts, of the three sums the one that misses by most.
    """

    user: int
    item: int
    score: float
    by_history: pd.DataFrame
    by_audience: pd.DataFrame
    by_layers: Mapping[str, Array]
    by_item_graph: Mapping[str, Array]
    other: float
    off: float

    @property
    def exact(self) -> bool:
        """Whether the parts add up to the score, each of the three sums."""
        return abs(self.off) <= TOLERANCE * max(1.0, abs(self.score))

    @property
    def sentence(self) -> str:
        """Whether the parts add up to the score, as a sentence."""
        if self.exact:
            return "The parts add up to the score."
        return (
            f"Approximate: this model is not linear in its layers, and the parts miss the score of "
            f"{self.score:.3f} by {self.off:+.3f}."
        )


def attribute(
    layers: Mapping[str, Sequence[NDArray[np.floating]]],
    weights: Sequence[float],
    user_emb: NDArray[np.floating],
    item_emb: NDArray[np.floating],
    train_matrix: TrainMatrix,
    user: int,
    item: int,
) -> Attribution:
    """Divide the score of ``item`` for ``user`` into parts. Only the rows that it needs are read.

    Args:
        layers: modality -> x^0 .. x^L, each (N, d_m), users first.
        weights: w_0 .. w_L of the readout, see :func:`rednd_core.evaluation.linear.readout_weights`.
        user_emb: (n_users, d). item_emb: (n_items, d). What scores: a block of columns for every
            modality in the order of ``layers``; further columns become ``other``.
        train_matrix: (n_users, n_items) CSR.

    Raises:
        DataError: ids out of range, or shapes that do not fit.
    """
    n_users, n_items = train_matrix.shape
    if (len(user_emb), len(item_emb)) != (n_users, n_items):
        raise DataError(
            expected=f"embeddings of {n_users} users and {n_items} items",
            found=f"{len(user_emb)} and {len(item_emb)}",
            remedy="pass the embeddings that were trained on this data set",
        )
    check_ids(user, n_users, "user")
    check_ids(item, n_items, "item")
    query = np.asarray(user_emb[user], dtype=np.float64)
    target = np.asarray(item_emb[item], dtype=np.float64)
    around = _Surroundings.of(train_matrix, user, item)
    columns = blocks(layers, len(query))
    parts = {
        name: _Block.of(layers[name], weights, query[of], target[of], around)
        for name, of in columns.items()
    }
    rest = slice(max(of.stop for of in columns.values()), None)
    other = float(query[rest] @ target[rest])
    score = float(query @ target)
    by_history = pd.concat(
        [block.by_history(name, around) for name, block in parts.items()], ignore_index=True
    )
    by_audience = pd.concat(
        [block.by_audience(name, around) for name, block in parts.items()], ignore_index=True
    )
    by_layers = {name: block.pairs for name, block in parts.items()}
    by_item_graph = {name: block.graph_by_layer for name, block in parts.items()}
    sums = (
        float(by_history["value"].sum()),
        float(by_audience["value"].sum()),
        sum(float(of.sum()) for group in (by_layers, by_item_graph) for of in group.values()),
    )
    return Attribution(
        user=int(user),
        item=int(item),
        score=score,
        by_history=by_history,
        by_audience=by_audience,
        by_layers=by_layers,
        by_item_graph=by_item_graph,
        other=other,
        off=max((score - other - total for total in sums), key=abs),
    )


@dataclass(frozen=True, eq=False)
class _Surroundings:
    """Node numbers of the pair and of its neighbours, with B of each edge.

    Attributes:
        history: the user's train items, ascending. audience: the item's train users, ascending.
        to_history, to_audience: B_ui of these edges, same lengths.
    """

    n_users: int
    user: int
    item: int
    history: IntArray
    audience: IntArray
    to_history: Array
    to_audience: Array

    @classmethod
    def of(cls, train_matrix: TrainMatrix, user: int, item: int) -> _Surroundings:
        indptr, indices = train_matrix.indptr, train_matrix.indices
        history = np.sort(indices[indptr[user] : indptr[user + 1]]).astype(np.int64)
        audience = np.searchsorted(indptr, np.flatnonzero(indices == item), side="right") - 1
        of_users = np.diff(indptr)
        of_items = np.bincount(indices, minlength=train_matrix.shape[1])
        return cls(
            n_users=train_matrix.shape[0],
            user=user,
            item=item,
            history=history,
            audience=audience,
            to_history=1 / np.sqrt(len(history) * of_items[history]),
            to_audience=1 / np.sqrt(of_users[audience] * max(1, len(audience))),
        )


@dataclass(frozen=True, eq=False)
class _Block:
    """One modality's parts.

    Attributes:
        own, of_history: through the whole item vector. own_by_graph, of_history_by_graph: of these,
            through the item graph. own_of_item, of_audience, graph: the item's side.
        pairs: (L + 1, L + 1). graph_by_layer: (L + 1,).
    """

    own: float
    own_by_graph: float
    of_history: Array
    of_history_by_graph: Array
    own_of_item: float
    of_audience: Array
    graph: float
    pairs: Array
    graph_by_layer: Array

    @classmethod
    def of(
        cls,
        states: Sequence[NDArray[np.floating]],
        weights: Sequence[float],
        query: Array,
        target: Array,
        around: _Surroundings,
    ) -> _Block:
        of_user = [np.asarray(x[around.user], dtype=np.float64) for x in states]  # (d,) a layer
        node = around.n_users + around.item
        of_item = [np.asarray(x[node], dtype=np.float64) for x in states]
        z_item = weighted_sum(of_item, weights)
        graph = target - z_item  # what the item graph adds to the item's readout
        share = float(user_shares([x[None] for x in of_user], query[None], weights)[0])
        history = _messages(states, weights, around.n_users + around.history, around.to_history)
        audience = _messages(states, weights, around.audience, around.to_audience)
        own = share * weights[0] * of_user[0]
        scaled = share * np.asarray(weights)[:, None] * np.array(of_user)  # (L + 1, d)
        return cls(
            own=float(own @ target),
            own_by_graph=float(own @ graph),
            of_history=share * (history @ target),
            of_history_by_graph=share * (history @ graph),
            own_of_item=float(weights[0] * (of_item[0] @ query)),
            of_audience=audience @ query,
            graph=float(graph @ query),
            pairs=scaled @ (np.asarray(weights)[:, None] * np.array(of_item)).T,
            graph_by_layer=scaled @ graph,
        )

    def by_history(self, modality: str, around: _Surroundings) -> pd.DataFrame:
        return pd.DataFrame(
            {
                "modality": modality,
                "part": [OWN, *[TRAIN_ITEM] * len(around.history)],
                "item": np.concatenate([[-1], around.history]),
                "value": np.concatenate([[self.own], self.of_history]),
                "item_graph": np.concatenate([[self.own_by_graph], self.of_history_by_graph]),
            }
        )

    def by_audience(self, modality: str, around: _Surroundings) -> pd.DataFrame:
        return pd.DataFrame(
            {
                "modality": modality,
                "part": [OWN, *[TRAIN_USER] * len(around.audience), ITEM_GRAPH],
                "user": np.concatenate([[-1], around.audience, [-1]]),
                "value": np.concatenate([[self.own_of_item], self.of_audience, [self.graph]]),
            }
        )


def _messages(
    states: Sequence[NDArray[np.floating]], weights: Sequence[float], nodes: IntArray, edges: Array
) -> Array:
    """B of the edge times sum over l = 1..L of w_l x^(l-1), a row for each of ``nodes``, (n, d)."""
    before = [x[nodes] for x in states[:-1]]
    if not before:  # no layer after x^0: nothing is passed on
        return np.zeros((len(nodes), states[0].shape[1]))
    return edges[:, None] * weighted_sum(before, weights[1:])
