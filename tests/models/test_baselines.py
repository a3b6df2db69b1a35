"""LightGCN, GCN, MF and popularity against closed forms and hand-computed graphs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from rednd_core.errors import ConfigError
from rednd_core.modeling.inputs import build_inputs
from rednd_core.modeling.registry import create_model, hyperparameters, model_class
from rednd_core.models.lightgcn import LightGCN, LightGCNHyperparameters


def dense_adjacency(dataset) -> torch.Tensor:
    n_users, n = dataset.n_users, dataset.n_users + dataset.n_items
    a = np.zeros((n, n))
    a[dataset.train.users, n_users + dataset.train.items] = 1
    a += a.T
    degree = a.sum(axis=1)
    scale = np.divide(1, np.sqrt(degree), out=np.zeros(n), where=degree > 0)
    return torch.from_numpy(scale[:, None] * a * scale)


def bpr_by_hand(readout, batch, n_users):
    scores = readout[:n_users] @ readout[n_users:].T
    differences = scores[batch.users, batch.pos_items] - scores[batch.users, batch.neg_items]
    return -torch.log(torch.sigmoid(differences)).mean()


def l2_by_hand(table, batch, n_users):
    rows = torch.cat([batch.users, batch.pos_items + n_users, batch.neg_items + n_users])
    return (table[rows] ** 2).sum() / (2 * len(batch))


@pytest.mark.parametrize("engine", ["dgl", "csr"])
@pytest.mark.parametrize("n_layers", [0, 1, 3])
def test_lightgcn_closed_form(small, build, batch, engine: str, n_layers: int) -> None:
    """z = (I + A + .. + A^L) E / (L + 1)"""
    if engine == "dgl":
        pytest.importorskip("dgl")
    model = build(small, "lightgcn", engine, embedding_size=5, n_layers=n_layers)
    table = model.node_emb.detach().clone().requires_grad_()
    a = dense_adjacency(small)
    powers = [torch.linalg.matrix_power(a, power) @ table for power in range(n_layers + 1)]
    readout = sum(powers) / (n_layers + 1)
    torch.testing.assert_close(torch.cat(model.embeddings()), readout)
    for state, want in zip(model.layers()["id"], powers, strict=True):
        torch.testing.assert_close(state, want)
    losses = model.losses(batch)
    expected = {
        "bpr": bpr_by_hand(readout, batch, 6),
        "regularization": l2_by_hand(table, batch, 6),
    }
    for name, want in expected.items():
        torch.testing.assert_close(losses[name], want)
        ours = torch.autograd.grad(losses[name], model.node_emb, retain_graph=True)
        torch.testing.assert_close(*ours, *torch.autograd.grad(want, table, retain_graph=True))


def test_gcn_closed_form(small, build, batch) -> None:
    model = build(small, "gcn", embedding_size=5, n_layers=2)
    leaves = {name: p.detach().clone().requires_grad_() for name, p in model.named_parameters()}
    a = dense_adjacency(small)
    first = a @ leaves["node_emb"] @ leaves["transforms.0.weight"].T + leaves["transforms.0.bias"]
    first = first * (first > 0)
    last = a @ first @ leaves["transforms.1.weight"].T + leaves["transforms.1.bias"]
    torch.testing.assert_close(torch.cat(model.embeddings()), last)
    torch.testing.assert_close(model.layers()["id"][1], first)
    assert bool((last < 0).any()), "no ReLU on the last layer"
    loss, want = model.losses(batch)["bpr"], bpr_by_hand(last, batch, 6)
    torch.testing.assert_close(loss, want)
    ours = torch.autograd.grad(loss, list(model.parameters()))
    for mine, other in zip(ours, torch.autograd.grad(want, list(leaves.values())), strict=True):
        torch.testing.assert_close(mine, other)
    torch.testing.assert_close(
        model.losses(batch)["regularization"], l2_by_hand(leaves["node_emb"], batch, 6)
    )


def test_mf_scores_and_losses(small, build, batch) -> None:
    model = build(small, "mf", embedding_size=5)
    users, items = model.embeddings()
    table = torch.cat([users, items])
    torch.testing.assert_close(model.layers()["id"][0], table)
    losses = model.losses(batch)
    torch.testing.assert_close(losses["bpr"], bpr_by_hand(table, batch, 6))
    torch.testing.assert_close(losses["regularization"], l2_by_hand(table, batch, 6))


def test_popularity_counts_train_pairs(small, build) -> None:
    users, items = build(small, "popularity").embeddings()
    np.testing.assert_array_equal(users, np.ones((6, 1)))
    np.testing.assert_array_equal(items.ravel(), [2, 2, 2, 1, 1, 2, 0])


@pytest.mark.parametrize("name", ["lightgcn", "gcn"])
def test_one_layer_by_hand(make_dataset, build, name: str) -> None:
    """u0 - i0, u0 - i1, u1 - i1; u2 and i2 isolated. With E = 1, 2, .., 6 and W = 1, b = 0:

    u0 = (4 / sqrt 2) + 5 / 2,  u1 = 5 / sqrt 2,  i0 = 1 / sqrt 2,  i1 = 1 / 2 + 2 / sqrt 2.
    """
    dataset = make_dataset(3, 3, [(0, 0), (0, 1), (1, 1)])
    model = build(dataset, name, embedding_size=1, n_layers=1)
    with torch.no_grad():
        model.node_emb.copy_(torch.arange(1.0, 7)[:, None])
        if name == "gcn":
            model.transforms[0].weight.fill_(1)
            model.transforms[0].bias.zero_()
    root = 2**0.5
    moved = np.array([4 / root + 2.5, 5 / root, 0, 1 / root, 0.5 + 2 / root, 0])
    found = model.layers()["id"]
    np.testing.assert_allclose(found[1].detach().ravel(), moved, rtol=1e-14)
    final = torch.cat(model.embeddings()).detach().ravel()
    own = np.arange(1, 7)
    np.testing.assert_allclose(final, moved if name == "gcn" else (own + moved) / 2, rtol=1e-14)


def test_initial_embeddings_are_xavier_normal(planted, build) -> None:
    table = build(planted, "lightgcn", embedding_size=64).node_emb.detach()
    assert float(table.std()) == pytest.approx((2 / (70 + 64)) ** 0.5, rel=0.05)


def test_unknown_models_and_settings(planted) -> None:
    with pytest.raises(ConfigError, match=r"a model among .*did you mean 'lightgcn'"):
        model_class("lightgnc")
    with pytest.raises(ConfigError, match=r"hyper-parameter of lightgcn.*did you mean 'n_layers'"):
        create_model("lightgcn", {"n_layer": 3}, None)
    with pytest.raises(ConfigError, match=r"valid value for n_layers \(.*32\), but found 33"):
        hyperparameters("lightgcn", {"n_layers": 33})


@pytest.mark.parametrize("own", ["extra_losses", "penalised"])
def test_a_linear_model_with_losses_of_its_own_has_them(small, batch, own: str) -> None:
    """The fast losses of a linear model know neither; a model that writes them has the plain ones."""
    terms = {
        "extra_losses": lambda self, batch, users, items: {"mine": users.square().sum()},
        "penalised": lambda self, batch: (self.node_emb[:2],),
    }
    cls = type("Mine", (LightGCN,), {own: terms[own]})
    model = cls(build_inputs(small, engine="csr"), LightGCNHyperparameters(embedding_size=4))
    found = model.losses(batch)
    users, items = model.embeddings()
    if own == "extra_losses":
        torch.testing.assert_close(found["mine"], users.square().sum())
    else:
        want = model.node_emb[:2].square().sum() / (2 * 2)
        torch.testing.assert_close(found["regularization"], want)
    scores = users @ items.T
    margins = scores[batch.users, batch.pos_items] - scores[batch.users, batch.neg_items]
    torch.testing.assert_close(found["bpr"], F.softplus(-margins).mean())
