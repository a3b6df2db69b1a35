"""LayerGCN against its equations on dense matrices, and its graph of every epoch."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from rednd_core.modeling.observe import current_embeddings, current_layers
from rednd_core.modeling.randomness import Epoch
from tests.models import oracle
from tests.models.oracle import PATH, UNITS


def layers_by_hand(a: Tensor, ego: Tensor, n_layers: int) -> list[Tensor]:
    """x^l = w * y with y = A x^(l-1) and w = cos(y, x^0) of every node."""
    layers = [ego]
    for _ in range(n_layers):
        near = a @ layers[-1]
        weights = [oracle.cosine(y, own) for y, own in zip(near, ego, strict=True)]
        layers.append(torch.stack([w * y for w, y in zip(weights, near, strict=True)]))
    return layers


def test_the_oracle_on_a_path() -> None:
    """w = (.8165, 1, 1, .8165), then (.9253, .8165, .8165, .9253)."""
    layers = layers_by_hand(oracle.adjacency(PATH, 2, 2), UNITS, 2)
    first = [[0.5774, 0.4082], [0, 0.7071], [0.7071, 0], [0.4082, 0.5774]]
    second = [[0.6515, 0.2671], [0.2357, 0.3333], [0.3333, 0.2357], [0.2671, 0.6515]]
    for found, want in zip(layers[1:], (first, second), strict=True):
        torch.testing.assert_close(found, torch.tensor(want).double(), rtol=0, atol=6e-5)
    readout = layers[1] + layers[2]
    scores = torch.tensor([[1.4377, 1.6598], [0.4905, 1.4377]]).double()
    torch.testing.assert_close(readout[:2] @ readout[2:].T, scores, rtol=0, atol=6e-5)


def readout_by_hand(a: Tensor, ego: Tensor, n_layers: int) -> Tensor:
    return sum(layers_by_hand(a, ego, n_layers)[1:])


@pytest.mark.parametrize("edge_dropout", [0, 0.3])
@pytest.mark.parametrize("n_layers", [1, 3])
def test_scores_losses_and_gradients(
    small, build, batch, engine: str, n_layers: int, edge_dropout: float
) -> None:
    """Losses are those of the epoch's graph, what is looked at is that of the whole graph."""
    model = build(
        small, "layergcn", engine, embedding_size=5, n_layers=n_layers, edge_dropout=edge_dropout
    )
    leaves = oracle.leaves_of(model)
    whole = oracle.adjacency(oracle.edges_of(small), 6, 7)
    layers = layers_by_hand(whole, leaves["node_emb"], n_layers)
    model.begin_epoch(Epoch.of(7, 1))
    for found, want in zip(current_layers(model)["id"], layers, strict=True):
        torch.testing.assert_close(found, want)
    readout = readout_by_hand(whole, leaves["node_emb"], n_layers)
    torch.testing.assert_close(torch.cat(current_embeddings(model)), readout)

    kept = oracle.edges_in(model.graph(torch.eye(13).double()), 6)
    assert len(kept) == (7 if edge_dropout else 10)
    readout = readout_by_hand(oracle.adjacency(kept, 6, 7), leaves["node_emb"], n_layers)
    expected = {
        "bpr": oracle.bpr(readout[:6] @ readout[6:].T, batch),
        "regularization": oracle.half_mean_squares(*leaves["node_emb"].split([6, 7]), batch),
    }
    oracle.assert_same_losses(model.losses(batch), expected, model, leaves)


def test_only_the_direction_of_a_neighbourhood_decides_its_weight(small, build) -> None:
    """Nodes whose y points away from x^0 have a negative weight: their layer still points along x^0."""
    model = build(small, "layergcn", embedding_size=5, n_layers=1)
    ego, first = current_layers(model)["id"]
    near = oracle.adjacency(oracle.edges_of(small), 6, 7) @ ego
    agreement = (near * ego).sum(1)
    assert bool((agreement < 0).any())
    assert bool(((first * ego).sum(1) >= 0).all())
