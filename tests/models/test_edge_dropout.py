"""The graphs of epochs: how many edges stay, which ones, and that the epoch alone decides it."""

from __future__ import annotations

import pytest
import torch

from rednd_core.modeling.edge_dropout import thinned
from rednd_core.modeling.inputs import build_inputs
from rednd_core.modeling.randomness import Epoch
from tests.models import oracle

NAMES = ["freedom", "layergcn", "lightgcn", "rednnd"]


def test_edges_stay_by_the_degrees_of_their_ends(make_dataset) -> None:
    """On the path: .3694, .2612 and .3694 for one edge; pairs by drawing one after the other."""
    inputs = build_inputs(make_dataset(2, 2, oracle.PATH), engine="csr")
    assert oracle.degree_sensitive(oracle.PATH) == pytest.approx([0.3694, 0.2612, 0.3694], abs=5e-5)
    for n_kept, edge_dropout in ((1, 0.67), (2, 0.33)):
        expected = oracle.chance_of_sets(oracle.PATH, n_kept)
        drawn = dict.fromkeys(expected, 0)
        for number in range(3000):
            matrix = thinned(inputs, edge_dropout, Epoch.of(1, number))(torch.eye(4))
            drawn[frozenset(oracle.edges_in(matrix, 2))] += 1
        for edges, chance in expected.items():  # four standard deviations of a share of 3,000
            assert drawn[edges] / 3000 == pytest.approx(chance, abs=4 * (0.25 / 3000) ** 0.5)


def test_edges_stay_with_the_same_chance(make_dataset) -> None:
    """On the path: one third each, whatever the degrees."""
    inputs = build_inputs(make_dataset(2, 2, oracle.PATH), engine="csr")
    drawn = dict.fromkeys(oracle.PATH, 0)
    for number in range(3000):
        epoch = Epoch.of(1, number)
        (edge,) = oracle.edges_in(thinned(inputs, 0.67, epoch, by_degree=False)(torch.eye(4)), 2)
        drawn[edge] += 1
    for count in drawn.values():  # four standard deviations of a share of 3,000
        assert count / 3000 == pytest.approx(1 / 3, abs=4 * (2 / 9 / 3000) ** 0.5)


@pytest.mark.parametrize(
    ("edge_dropout", "n_kept"), [(0.04, 10), (0.06, 9), (0.1, 9), (0.8, 2), (0.9, 1), (0.99, 1)]
)
def test_edges_left_out_are_rounded_and_one_stays(small, edge_dropout: float, n_kept: int) -> None:
    """Of 10 edges."""
    inputs = build_inputs(small, engine="csr")
    matrix = thinned(inputs, edge_dropout, Epoch.of(1, 1))(torch.eye(13))
    edges = oracle.edges_in(matrix, 6)
    assert len(edges) == n_kept
    assert set(edges) <= set(oracle.edges_of(small))
    torch.testing.assert_close(matrix.double(), oracle.adjacency(edges, 6, 7))


@pytest.mark.parametrize("name", NAMES)
def test_an_epoch_has_one_graph(small, build, name: str) -> None:
    model = build(small, name, edge_dropout=0.5)

    def edges_of_epoch(seed: int, number: int) -> list[tuple[int, int]]:
        before = model.step_version
        model.begin_epoch(Epoch.of(seed, number))
        assert model.step_version > before, "a recorded step would train on the old graph"
        return oracle.edges_in(model.graph(torch.eye(13).double()), 6)

    first = edges_of_epoch(3, 1)
    graphs = [edges_of_epoch(3, number) for number in range(1, 8)]
    assert graphs[0] == first
    assert len(set(map(tuple, graphs))) > 4
    assert len({tuple(edges_of_epoch(seed, 1)) for seed in range(8)}) > 4


@pytest.mark.parametrize("name", NAMES)
def test_without_dropout_nothing_is_drawn(small, build, name: str) -> None:
    model = build(small, name, edge_dropout=0)
    before = model.step_version
    model.begin_epoch(Epoch.of(1, 1))
    assert len(oracle.edges_in(model.graph(torch.eye(13).double()), 6)) == 10
    assert model.step_version == before
