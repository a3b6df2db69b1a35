"""FREEDOM against its equations on dense matrices, and its graph of every epoch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from rednd_core.modeling.observe import current_embeddings, observed
from rednd_core.modeling.randomness import Epoch
from tests.models import oracle


def test_the_oracle_fuses_two_item_graphs() -> None:
    image = oracle.nearest(np.array([[1.0, 0.0], [2.0, 1.0], [0.0, 1.0]]), 2)
    text = oracle.nearest(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 3.0]]), 2)
    want = torch.tensor([[0.5, 0.05, 0.45], [0.05, 0.5, 0.45], [0.0, 0.5, 0.5]]).double()
    torch.testing.assert_close(0.1 * image + 0.9 * text, want)


def embeddings_by_hand(a: Tensor, ego: Tensor, s: Tensor, n_layers: int) -> tuple[Tensor, Tensor]:
    """Users z_u and items z_i + S x_i, with z the mean of A^0 x .. A^L x."""
    z = sum(torch.linalg.matrix_power(a, k) @ ego for k in range(n_layers + 1)) / (n_layers + 1)
    return z[:6], z[6:] + s @ ego[6:]


@pytest.mark.parametrize("edge_dropout", [0, 0.8])
def test_scores_losses_and_gradients(small, build, batch, engine: str, edge_dropout: float) -> None:
    """Losses are those of the epoch's graph, what is looked at is that of the whole graph."""
    fusion = {"image": 0.2, "text": 0.8}
    model = build(
        small, "freedom", engine, embedding_size=5, knn_k=3, fusion_weights=fusion,
        modalities=("image", "text"), edge_dropout=edge_dropout,
    )  # fmt: skip
    leaves = oracle.leaves_of(model)
    ego = leaves["node_emb"]
    s = sum(weight * oracle.nearest(small.features[m], 3) for m, weight in fusion.items())
    whole = oracle.adjacency(oracle.edges_of(small), 6, 7)
    model.begin_epoch(Epoch.of(7, 1))
    expected = embeddings_by_hand(whole, ego, s, 2)
    for found, want in zip(current_embeddings(model), expected, strict=True):
        torch.testing.assert_close(found, want)
    with observed(model):
        readouts = model.readouts()["id"]
    for depth, readout in enumerate(readouts):
        torch.testing.assert_close(readout, torch.cat(embeddings_by_hand(whole, ego, s, depth)))

    kept = oracle.edges_in(model.graph(torch.eye(13).double()), 6)
    assert len(kept) == (2 if edge_dropout else 10)
    users, items = embeddings_by_hand(oracle.adjacency(kept, 6, 7), ego, s, 2)
    projected = [
        torch.from_numpy(small.features[m]).double() @ leaves[f"projections.{k}.weight"].T
        + leaves[f"projections.{k}.bias"]
        for k, m in enumerate(fusion)
    ]
    losses = {
        "bpr": oracle.bpr(users @ items.T, batch),
        "features": sum(oracle.bpr(users @ rows.T, batch) for rows in projected),
        "regularization": oracle.half_mean_squares(ego[:6], ego[6:], batch),
    }
    oracle.assert_same_losses(model.losses(batch), losses, model, leaves)


def test_two_steps_on_the_item_graph(small, build) -> None:
    model = build(small, "freedom", embedding_size=5, knn_k=2, n_mm_layers=2, modalities=("text",))
    s = oracle.nearest(small.features["text"], 2)
    layer, readout = model.layers()["id"][0], model.readouts()["id"][0]
    torch.testing.assert_close(readout[6:] - layer[6:], s @ s @ layer[6:])
    torch.testing.assert_close(readout[:6], layer[:6])


def test_without_the_item_graph_nothing_is_added(small, build) -> None:
    model = build(small, "freedom", embedding_size=5, n_mm_layers=0)
    torch.testing.assert_close(model.readouts()["id"][0], model.layers()["id"][0])
