"""NGCF against its equations on dense matrices, with the dropout that was drawn."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from rednd_core.modeling.observe import current_embeddings, current_layers
from tests.models import oracle
from tests.models.oracle import PATH, UNITS


def layer_by_hand(a: Tensor, x: Tensor, w1: Tensor, w2: Tensor, kept: Tensor) -> Tensor:
    """One entry after the other: LeakyReLU of the sum of both terms, dropout, rows of length 1."""
    n, d = x.shape
    y = a @ x
    rows = []
    for node in range(n):
        entries = []
        for k in range(d):
            own = sum((y[node, j] + x[node, j]) * w1[j, k] for j in range(d))
            product = sum(y[node, j] * x[node, j] * w2[j, k] for j in range(d))
            entry = own + product
            entries.append((entry if entry > 0 else 0.2 * entry) * kept[node, k])
        row = torch.stack(entries)
        length = row.square().sum().sqrt()
        rows.append(row / length if length > 0 else row)
    return torch.stack(rows)


def test_the_oracle_on_a_path() -> None:
    """W = I, no dropout: before the rows get length 1, layer 1 is (2.4142, .5), (0, 2.4142), ..."""
    one = torch.eye(2).double()
    first = layer_by_hand(oracle.adjacency(PATH, 2, 2), UNITS, one, one, torch.ones(4, 2).double())
    z = torch.cat([UNITS, first], dim=1)
    want = torch.tensor([[1.9792, 0.3972], [0.0, 1.9792]]).double()
    torch.testing.assert_close(z[:2] @ z[2:].T, want, rtol=0, atol=6e-5)


def propagated_by_hand(a: Tensor, leaves: dict[str, Tensor], kept: list[Tensor]) -> list[Tensor]:
    layers = [leaves["node_emb"]]
    for depth, mask in enumerate(kept):
        w1, w2 = leaves[f"sums.{depth}"], leaves[f"products.{depth}"]
        layers.append(layer_by_hand(a, layers[-1], w1, w2, mask))
    return layers


def drawn(model, n_layers: int, rate: float) -> list[Tensor]:
    """What dropout multiplies each layer with, as the model's generator draws it for its next losses."""
    generator = torch.Generator().set_state(model.generator.get_state())
    draws = [torch.rand(13, 4, generator=generator) for _ in range(n_layers if rate else 0)]
    if not rate:
        return [torch.ones(13, 4).double()] * n_layers
    return [(draw >= rate).double() / (1 - rate) for draw in draws]


@pytest.mark.parametrize(("n_layers", "rate"), [(0, 0.3), (1, 0.0), (2, 0.3)])
def test_scores_losses_and_gradients(
    small, build, batch, engine: str, n_layers: int, rate: float
) -> None:
    model = build(
        small, "ngcf", engine, embedding_size=4, n_layers=n_layers, message_dropout=rate
    ).train()
    leaves = oracle.leaves_of(model)
    a = oracle.adjacency(oracle.edges_of(small), 6, 7)
    quiet = [torch.ones(13, 4).double()] * n_layers
    clean = propagated_by_hand(a, leaves, quiet)
    for found, want in zip(current_layers(model)["id"], clean, strict=True):
        torch.testing.assert_close(found, want)
    torch.testing.assert_close(torch.cat(current_embeddings(model)), torch.cat(clean, dim=1))

    z = torch.cat(propagated_by_hand(a, leaves, drawn(model, n_layers, rate)), dim=1)
    ego = leaves["node_emb"]
    expected = {
        "bpr": oracle.bpr(z[:6] @ z[6:].T, batch),
        "regularization": oracle.half_mean_squares(ego[:6], ego[6:], batch),
    }
    oracle.assert_same_losses(model.losses(batch), expected, model, leaves)
