"""Depths that are computed when they are asked for, against a propagation of all of them."""

from __future__ import annotations

import numpy as np
import pytest

from rednd_core.readout import Readout
from rednd_core.runs.facts import LayerFacts
from rednd_core.runs.layers import LayerIndex
from rednd_core.smoothness import propagate_depth
from rednd_core.stage.depths import Depths, each_vector, n_vectors
from tests.stage.conftest import N_USERS

TRAINED, DEPTH = 2, 6


def stored(world, readout: Readout, **recorded: list[np.ndarray]) -> LayerIndex:
    """Two modalities, trained with two layers."""
    stacks = {"image": world.layers[: TRAINED + 1], "text": [2 * x for x in world.layers[:3]]}
    facts = LayerFacts(
        widths=dict.fromkeys(stacks, (4,) * (TRAINED + 1)),
        readout=readout,
        readout_widths={name: (4,) * len(stack) for name, stack in recorded.items()} or None,
    )
    users, items = world.scoring
    return LayerIndex(facts, stacks, recorded, users, items, 1, "v")


def expected(world, scale: float = 1.0) -> list[np.ndarray]:
    """x^0 .. x^6 of one modality by repeated multiplication with the dense matrix."""
    adjacency = world.graph.norm_adj.to_scipy(np.float64).toarray()
    found = [scale * world.layers[0].astype(np.float64)]
    for _ in range(DEPTH):
        found.append(adjacency @ found[-1])
    return found


def test_layers_go_on_from_the_stored_ones(world) -> None:
    found = list(each_vector(stored(world, Readout("mean")), world.graph, "layer", DEPTH, "text"))
    assert len(found) == DEPTH + 1
    for layer, wanted in zip(found, expected(world, 2.0), strict=True):
        np.testing.assert_allclose(layer, wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("rule", ["mean", "sum", "last"])
def test_readouts_of_all_modalities_follow_the_rule_at_every_depth(world, rule) -> None:
    found = list(each_vector(stored(world, Readout(rule)), world.graph, "readout", DEPTH))
    image, text = expected(world), expected(world, 2.0)
    for k, readout in enumerate(found):
        layers = [np.hstack(parts) for parts in zip(image[: k + 1], text[: k + 1], strict=True)]
        wanted = {"mean": np.mean(layers, axis=0), "sum": np.sum(layers, axis=0)}
        np.testing.assert_allclose(
            readout, wanted.get(rule, layers[-1]), rtol=1e-5, atol=1e-6, err_msg=f"depth {k}"
        )


def test_recorded_readouts_end_where_the_run_does(world) -> None:
    recorded = {"image": [x + 1 for x in world.layers[:3]], "text": world.layers[:3]}
    index = stored(world, Readout("mean"), **recorded)
    found = list(each_vector(index, world.graph, "readout", DEPTH, "image"))
    np.testing.assert_array_equal(found, recorded["image"])
    assert n_vectors(index, "readout", DEPTH, "image") == TRAINED + 1
    assert n_vectors(index, "layer", DEPTH, "image") == DEPTH + 1
    assert n_vectors(index, "layer", 0) == TRAINED + 1


@pytest.mark.parametrize("kept_bytes", [0, 1 << 20])
@pytest.mark.parametrize("order", [range(7), [6, 0, 3, 3, 5, 1, 6], [4, 2, 0]])
def test_every_order_of_asking_gives_the_same_depths(world, kept_bytes, order) -> None:
    states = propagate_depth(world.layers[0], world.graph, DEPTH)
    depths = Depths(lambda: iter(states), DEPTH + 1, kept_bytes)
    for k in order:
        np.testing.assert_array_equal(depths[k], states[k])
    assert len(depths) == DEPTH + 1
    np.testing.assert_array_equal(depths[-1], states[-1])
    assert [len(layer) for layer in depths[2:4]] == [world.graph.n_nodes] * 2
    with pytest.raises(IndexError):
        depths[DEPTH + 1]


def test_ascending_depths_are_computed_once_within_the_memory() -> None:
    begun, made = [], []

    def begin():
        begun.append(1)
        for k in range(10):
            made.append(k)
            yield np.full((4, 2), k, dtype=np.float32)

    depths = Depths(begin, 10, kept_bytes=2 * 32)
    assert [int(depths[k][0, 0]) for k in range(10)] == [*range(10)]
    assert (len(begun), made) == (1, [*range(10)])
    assert int(depths[9][0, 0]) == 9
    assert len(begun) == 1, "the latest are kept"
    assert int(depths[0][0, 0]) == 0
    assert len(begun) == 2, "the first ones are not"


def test_users_come_first(world) -> None:
    (first, *_) = each_vector(stored(world, Readout("mean")), world.graph, "layer", 0, "image")
    np.testing.assert_array_equal(first[:N_USERS], world.layers[0][:N_USERS])
