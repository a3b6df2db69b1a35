"""What is said of the graph follows from the layers that a run has."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from app.recommendations import paths
from app.recommendations.paths import path_sentence
from rednd_core.graph.bipartite import bipartite_graph

# A chain: u0 - i0 - u1 - i1 - u2 - i2, and a pair apart from it: u3 - i3.
TRAIN = [(0, 0), (1, 0), (1, 1), (2, 1), (2, 2), (3, 3)]


@pytest.fixture
def said(make_dataset, monkeypatch):
    """``said(item, n_layers)`` for user 0."""
    dataset = make_dataset(4, 4, TRAIN)
    graph = bipartite_graph(dataset.train, 4, 4)
    monkeypatch.setattr(paths.cached, "graph", lambda _: graph)

    def sentence(item: int, n_layers: int) -> str:
        run = SimpleNamespace(record=SimpleNamespace(model=SimpleNamespace(n_layers=n_layers)))
        view: Any = SimpleNamespace(dataset=dataset, user=0)
        return path_sentence(view, run, item)

    return sentence


def test_three_hops_are_told_with_the_reach_of_the_run(said) -> None:
    text = said(1, 2)
    assert "1 path of three hops leads from this user to the item" in text
    assert "user u1 by way of ‹i0›" in text
    assert "100 % of the weight of all of them" in text
    assert "2 layers" in text
    assert "up to 4 hops" in text
    assert "up to 6 hops" in said(1, 3)
    assert "1 layer:" in said(1, 1)


def test_two_propagated_vectors_reach_twice_as_far_as_one(said) -> None:
    """Item 2 is 5 hops away: 3 layers on each side see it, 2 do not."""
    assert "the shortest has 5 hops" in said(2, 3)
    assert "none of up to 4 hops" in said(2, 2)


def test_what_the_graph_does_not_connect_is_left_to_other_causes(said) -> None:
    text = said(3, 16)
    assert "none of up to 32 hops" in text
    assert "features, similar items and popularity" in text


def test_a_model_without_layers_uses_no_path(said) -> None:
    assert "does not propagate" in said(1, 0)


@pytest.mark.parametrize(("user", "item", "n_layers"), [(0, 2, 2), (0, 2, 3), (0, 3, 3), (0, 1, 1)])
def test_the_reach_is_that_of_the_inner_product(make_dataset, user, item, n_layers) -> None:
    """<z_u, z_i> with z = sum of A^l x for l to L is 0 for every x exactly where 2L hops do not connect."""
    graph = bipartite_graph(make_dataset(4, 4, TRAIN).train, 4, 4)
    dense = graph.norm_adj.to_scipy(np.float64).toarray()
    power_sum = sum(np.linalg.matrix_power(dense, level) for level in range(n_layers + 1))
    reached = (power_sum @ power_sum.T)[user, 4 + item] > 0
    hops = {1: 3, 2: 5, 3: None}[item]
    assert reached == (hops is not None and hops <= 2 * n_layers)
