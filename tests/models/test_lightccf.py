"""LightCCF against its equations on dense matrices, one row of a batch at a time."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from rednd_core.modeling.observe import current_embeddings
from tests.models import oracle


def neighbourhood(users: Tensor, items: Tensor, temperature: float, denominator: str) -> Tensor:
    """Mean over the rows k of N_k; row k has the user ``users[k]`` and the positive item ``items[k]``."""
    terms = []
    for k in range(len(users)):
        own = torch.exp(oracle.cosine(users[k], items[k]) / temperature)
        others = []
        for m in range(len(users)):
            to_item = oracle.cosine(users[k], items[m]) / temperature
            to_user = oracle.cosine(users[k], users[m]) / temperature
            if denominator == "product":
                others.append(torch.exp(to_item + to_user))
            else:
                others += [torch.exp(to_item), torch.exp(to_user)]
        terms.append(-torch.log(own / torch.stack(others).sum()))
    return torch.stack(terms).mean()


def test_the_oracle_by_hand() -> None:
    users = torch.tensor([[1.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
    items = torch.tensor([[1.0, 0.0], [0.5**0.5, 0.5**0.5]], dtype=torch.float64)
    assert float(neighbourhood(users, items, 0.5, "product")) == pytest.approx(2.0525, abs=6e-5)
    assert float(neighbourhood(users, items, 0.5, "sums")) == pytest.approx(1.0895, abs=6e-5)
    alone = (
        neighbourhood(users[:1], items[:1], 0.5, "product"),
        neighbourhood(users[:1], items[:1], 0.5, "sums"),
    )
    assert [float(each) for each in alone] == pytest.approx([2.0, float(torch.tensor(2.0).log())])


@pytest.mark.parametrize(("n_layers", "denominator"), [(0, "product"), (1, "sums"), (3, "product")])
def test_scores_losses_and_gradients(
    small, build, batch, engine: str, n_layers: int, denominator: str
) -> None:
    model = build(
        small, "lightccf", engine, embedding_size=5, n_layers=n_layers, denominator=denominator
    ).train()
    leaves = oracle.leaves_of(model)
    a = oracle.adjacency(oracle.edges_of(small), 6, 7)
    layers = [leaves["node_emb"]]
    for _ in range(n_layers):
        layers.append(a @ layers[-1])
    z = sum(layers) / (n_layers + 1)
    torch.testing.assert_close(torch.cat(current_embeddings(model)), z)
    users, items = z[:6], z[6:]
    expected = {
        "bpr": oracle.bpr(users @ items.T, batch),
        "regularization": oracle.half_mean_squares(layers[0][:6], layers[0][6:], batch),
        "neighbourhood": neighbourhood(
            users[batch.users], items[batch.pos_items], 0.22, denominator
        ),
    }
    oracle.assert_same_losses(model.losses(batch), expected, model, leaves)
