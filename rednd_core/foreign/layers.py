"""From the matrices of another program to the layers x^0 .. x^L of a run, and to what scores.

Three cases: the layers are given, one pair of matrices each; only what scores is given, which is then the one
layer; or the vectors are the x^0 of a graph model and are propagated here, x^(l+1) = A-hat x^l with the mean
of the layers as readout (LightGCN, arXiv 2002.02126).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import get_args

import numpy as np

from rednd_core.data.schema import FloatArray
from rednd_core.errors import CheckpointError, unknown_name
from rednd_core.foreign.roles import Side, Vectors
from rednd_core.graph.bipartite import BipartiteGraph
from rednd_core.readout import Readout, Rule
from rednd_core.runs import ModelFacts
from rednd_core.smoothness.depth import each_depth

MODALITY = "id"
RULES: tuple[Rule, ...] = get_args(Rule)
TOLERANCE = 1e-3
"""Of the largest value: other programs add up in another order, and some in half precision."""


@dataclass(frozen=True, eq=False)
class FoundLayers:
    """What a run keeps of a model.

    Attributes:
        states: x^0 .. x^L, (N, d) float32 each, users first.
        user_emb, item_emb: what scores, (n_users, s) and (n_items, s).
        linear: whether x^(l+1) = A-hat x^l holds.
        said: what was recognised, in sentences.
    """

    states: Sequence[FloatArray]
    user_emb: FloatArray
    item_emb: FloatArray
    readout: Readout
    linear: bool = False
    said: list[str] = field(default_factory=list)

    @property
    def facts(self) -> ModelFacts:
        """The shapes and the rule, as config.json says them."""
        return ModelFacts(
            widths={MODALITY: tuple(state.shape[1] for state in self.states)},
            readout=self.readout,
            linear_propagation=self.linear,
        )


def cut(vectors: Vectors, n_users: int | None, n_nodes: int | None) -> Vectors:
    """Matrices of all nodes as pairs of users and items.

    Raises:
        CheckpointError: nothing says how many of the rows are users.
    """
    if not vectors.whole:
        return vectors
    pairs = []
    for side in vectors.whole:
        if n_users is None or len(side.values) != n_nodes:
            wanted = "the data set" if n_nodes is None else f"{n_nodes:,} rows, users and items,"
            raise CheckpointError(
                expected=f"{wanted} to tell users from items in {side.name}",
                found=f"a matrix of {len(side.values):,} rows",
                remedy="name the data set of the model, or save users and items apart",
            )
        ids = (None, None) if side.ids is None else (side.ids[:n_users], side.ids[n_users:])
        users = Side(f"{side.name}, users", side.values[:n_users], ids[0])
        pairs.append((users, Side(f"{side.name}, items", side.values[n_users:], ids[1])))
    if len(pairs) == 1 and vectors.scoring is None:
        return Vectors(scoring=pairs[0])
    return Vectors(layers=tuple(pairs), scoring=vectors.scoring)


def found_layers(
    layers: Sequence[tuple[FloatArray, FloatArray]],
    scoring: tuple[FloatArray, FloatArray] | None,
    *,
    graph: BipartiteGraph | None,
    propagate: int | None,
    readout: Rule,
) -> FoundLayers:
    """The layers of a run.

    Args:
        layers, scoring: pairs of users (n_users, d) and items (n_items, d), in the order of the nodes; one of
            them at least.
        graph: the training graph, where there is one.
        propagate: how many steps from x^0 are made here; None: none, the vectors are what they are.
        readout: what scores, where ``scoring`` does not tell.

    Raises:
        CheckpointError: matrices that do not belong together. ConfigError: an unknown readout.
    """
    if readout not in RULES:
        raise unknown_name("readout", readout, RULES)
    if propagate is not None:
        assert graph is not None
        return _propagated(layers, scoring, graph, propagate, readout)
    if not layers:
        assert scoring is not None
        return FoundLayers([np.concatenate(scoring)], *scoring, Readout("last"))
    states = [np.concatenate(pair) for pair in layers]
    linear = graph is not None and len(states) > 1 and _is_linear(states, graph)
    said = []
    if linear:
        said.append("Each layer is the normalised graph times the one before, as in LightGCN.")
    if scoring is None:
        rule = Readout(readout)
        _require_one_width(states, rule)
        users, items = _split(rule.at(states), len(layers[0][0]))
        return FoundLayers(states, users, items, rule, linear, said)
    rule = _rule_of(states, np.concatenate(scoring))
    of = "the layers" if rule.first == 0 else "the layers from 1 on"
    words = {
        "last": "the last layer",
        "concat": f"{of} side by side",
        "max": f"the largest entries of {of}",
    }
    said.append(f"What scores is {words.get(rule.rule, f'the {rule.rule} of {of}')}.")
    return FoundLayers(states, *scoring, rule, linear, said)


def _propagated(
    layers: Sequence[tuple[FloatArray, FloatArray]],
    scoring: tuple[FloatArray, FloatArray] | None,
    graph: BipartiteGraph,
    steps: int,
    readout: Rule,
) -> FoundLayers:
    if len(layers) > 1 or (layers and scoring is not None):
        raise CheckpointError(
            expected="one matrix of users and one of items, x^0, to propagate",
            found="several layers, or layers and scoring vectors",
            remedy="leave --propagate out, or give x^0 alone",
        )
    pair = layers[0] if layers else scoring
    assert pair is not None
    users, items = pair
    x0 = np.concatenate([users, items])
    states = [np.asarray(x, dtype=np.float32) for x in each_depth(x0, graph, steps)]
    rule = Readout(readout)
    scored = _split(np.asarray(rule.at(states), dtype=np.float32), len(users))
    told = f"Propagated here: {steps} steps from the given x^0; what scores is the {readout} of the layers."
    return FoundLayers(states, *scored, rule, linear=True, said=[told])


def _is_linear(states: Sequence[FloatArray], graph: BipartiteGraph) -> bool:
    if len({state.shape for state in states}) > 1:
        return False
    norm_adj = graph.norm_adj.to_scipy(np.dtype(np.float32))
    return all(_close(norm_adj @ before, after) for before, after in pairwise(states))


def _close(one: FloatArray, other: FloatArray) -> bool:
    largest = float(np.abs(other).max())
    return one.shape == other.shape and float(np.abs(one - other).max()) <= TOLERANCE * largest


def _rule_of(states: Sequence[FloatArray], scoring: FloatArray) -> Readout:
    """The rule that makes what scores from the layers.

    Raises:
        CheckpointError: none does: then it cannot be said what would score at another depth.
    """
    for rule in _rules(states):
        if _close(rule.at(states), scoring):
            return rule
    raise CheckpointError(
        expected=f"scoring vectors that are {', '.join(RULES)} of the layers",
        found="others",
        remedy="import either the layers or the scoring vectors",
    )


def _rules(states: Sequence[FloatArray]) -> Iterator[Readout]:
    for rule in RULES:
        for first in (0, 1):
            widths = {state.shape[1] for state in states[first:]}
            if len(widths) == 1 or rule in ("last", "concat"):
                yield Readout(rule, 1 if first else 0)


def _require_one_width(states: Sequence[FloatArray], rule: Readout) -> None:
    widths = [state.shape[1] for state in states]
    if rule.rule in ("mean", "sum", "max") and len(set(widths)) > 1:
        raise CheckpointError(
            expected=f"layers of one width, as their {rule.rule} scores",
            found=f"the widths {widths}",
            remedy="say what scores: --readout concat or --readout last",
        )


def _split(nodes: FloatArray, n_users: int) -> tuple[FloatArray, FloatArray]:
    return nodes[:n_users], nodes[n_users:]
