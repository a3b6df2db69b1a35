"""SGL against its equations on dense matrices, with the edges that were drawn."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from rednd_core.modeling.observe import current_embeddings
from rednd_core.modeling.randomness import Epoch
from tests.models import oracle
from tests.models.oracle import PATH, UNITS


def readout_by_hand(a: Tensor, ego: Tensor, n_layers: int) -> Tensor:
    layers = [ego]
    for _ in range(n_layers):
        layers.append(a @ layers[-1])
    return sum(layers) / (n_layers + 1)


def against_all(first: Tensor, second: Tensor, nodes: list[int], temperature: float) -> Tensor:
    """Mean over ``nodes`` of -ln( exp(cos(n, n) / t) / sum over ALL rows m of exp(cos(n, m) / t) )."""
    terms = []
    for n in nodes:
        weights = [torch.exp(oracle.cosine(first[n], row) / temperature) for row in second]
        terms.append(-torch.log(weights[n] / torch.stack(weights).sum()))
    return torch.stack(terms).mean()


def test_the_oracle_on_a_path() -> None:
    """L = 1; the first view is without u0 - i1, the second is the whole path."""
    first = readout_by_hand(oracle.adjacency([PATH[0], PATH[2]], 2, 2), UNITS, 1)
    torch.testing.assert_close(first, UNITS)
    second = readout_by_hand(oracle.adjacency(PATH, 2, 2), UNITS, 1)
    for nodes, others, want in (
        (first[:2], second[:2], [0.0082, 0.0271]),
        (first[2:], second[2:], [0.0271, 0.0082]),
    ):
        found = [float(against_all(nodes, others, [n], 0.2)) for n in range(2)]
        assert found == pytest.approx(want, abs=6e-5)


@pytest.mark.parametrize(("n_layers", "edge_dropout"), [(0, 0.3), (1, 0.0), (3, 0.3)])
def test_scores_losses_and_gradients(
    small, build, batch, engine: str, n_layers: int, edge_dropout: float
) -> None:
    model = build(
        small, "sgl", engine, embedding_size=5, n_layers=n_layers, edge_dropout=edge_dropout
    ).train()
    leaves = oracle.leaves_of(model)
    ego = leaves["node_emb"]
    clean = readout_by_hand(oracle.adjacency(oracle.edges_of(small), 6, 7), ego, n_layers)
    model.begin_epoch(Epoch.of(1, 1))
    torch.testing.assert_close(torch.cat(current_embeddings(model)), clean)

    kept = [oracle.edges_in(graph(torch.eye(13).double()), 6) for graph in model.view_graphs]
    assert [len(edges) for edges in kept] == [10 - round(10 * edge_dropout)] * 2
    first, second = (
        readout_by_hand(oracle.adjacency(edges, 6, 7), ego, n_layers) for edges in kept
    )
    users = sorted(set(batch.users.tolist()))
    items = sorted(set(batch.pos_items.tolist()))
    expected = {
        "bpr": oracle.bpr(clean[:6] @ clean[6:].T, batch),
        "regularization": oracle.half_mean_squares(ego[:6], ego[6:], batch),
        "contrast": against_all(first[:6], second[:6], users, 0.2)
        + against_all(first[6:], second[6:], items, 0.2),
    }
    oracle.assert_same_losses(model.losses(batch), expected, model, leaves)


def test_an_epoch_has_two_views(small, build) -> None:
    model = build(small, "sgl", edge_dropout=0.5)

    def edges_of_epoch(number: int) -> list[list[tuple[int, int]]]:
        before = model.step_version
        model.begin_epoch(Epoch.of(3, number))
        assert model.step_version > before, "a recorded step would train on the old views"
        return [oracle.edges_in(graph(torch.eye(13).double()), 6) for graph in model.view_graphs]

    epochs = [edges_of_epoch(number) for number in range(1, 9)]
    assert epochs[0] == edges_of_epoch(1)
    views = [tuple(view) for epoch in epochs for view in epoch]
    assert len(set(views)) > 8, "both views of all epochs are drawn anew"


def test_without_a_weight_there_is_no_contrast(small, build, batch) -> None:
    model = build(small, "sgl", contrast_weight=0)
    assert set(model.losses(batch)) == {"bpr", "regularization"}
