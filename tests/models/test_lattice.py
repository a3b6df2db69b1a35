"""LATTICE against its equations on dense matrices, and which neighbours it uses."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from rednd_core.modeling.observe import current_embeddings, observed
from rednd_core.modeling.randomness import Epoch
from tests.models import oracle


def similar(features: Tensor, k: int, chosen: Tensor | None = None) -> Tensor:
    """S of some features, (n, n); ``chosen`` are the features that decide who is near."""
    n, by = len(features), features if chosen is None else chosen
    kept = torch.zeros(n, n, dtype=torch.float64)
    for i in range(n):
        order = sorted(range(n), key=lambda j: -float(oracle.cosine(by[i], by[j])))
        for j in order[:k]:
            kept[i, j] = oracle.cosine(features[i], features[j]).clamp_min(0)
    sums = kept.sum(dim=1)
    return kept / (sums[:, None] * sums[None, :]).sqrt()


def embeddings_by_hand(a: Tensor, ego: Tensor, s: Tensor, n_layers: int) -> Tensor:
    z = sum(torch.linalg.matrix_power(a, k) @ ego for k in range(n_layers + 1)) / (n_layers + 1)
    mixed = s @ ego[6:]
    return torch.cat([z[:6], z[6:] + mixed / mixed.norm(dim=1, keepdim=True)])


def test_the_oracle_weighs_neighbours() -> None:
    image = similar(torch.tensor([[1.0, 0.0], [2.0, 1.0], [0.0, 1.0]]).double(), 2)
    want = [[0.527864, 0.472136, 0], [0.472136, 0.527864, 0], [0, 0.270091, 0.690983]]
    torch.testing.assert_close(image, torch.tensor(want).double(), atol=1e-6, rtol=0)


def test_scores_losses_and_gradients(small, build, batch, engine: str) -> None:
    model = build(
        small, "lattice", engine, embedding_size=5, knn_k=3, raw_share=0.6,
        modalities=("image", "text"), edge_dropout=0.3,
    )  # fmt: skip
    with torch.no_grad():
        model.item_graph.modality_logits.copy_(torch.tensor([0.4, -0.2]))
    model.begin_epoch(Epoch.of(7, 1))
    leaves = oracle.leaves_of(model)
    before = [rows.detach() for rows in model.item_graph.projected()]
    with torch.no_grad():  # a step: cosines follow, who is near does not
        for name, leaf in leaves.items():
            leaf += 0.5 * torch.randn(leaf.shape, dtype=leaf.dtype)
            model.get_parameter(name).copy_(leaf)
    ego = leaves["node_emb"]
    s = torch.zeros(7, 7).double()
    for k, m in enumerate(("image", "text")):
        rows = torch.from_numpy(small.features[m]).double()
        learned = (
            rows @ leaves[f"item_graph.projections.{k}.weight"].T
            + leaves[f"item_graph.projections.{k}.bias"]
        )
        a = (
            leaves["item_graph.modality_logits"][k].exp()
            / leaves["item_graph.modality_logits"].exp().sum()
        )
        s = s + a * (0.6 * similar(rows, 3) + 0.4 * similar(learned, 3, before[k]))

    whole = oracle.adjacency(oracle.edges_of(small), 6, 7)
    torch.testing.assert_close(
        torch.cat(current_embeddings(model)), embeddings_by_hand(whole, ego, s, 2)
    )
    with observed(model):
        readouts = model.readouts()["id"]
    for depth, readout in enumerate(readouts):
        torch.testing.assert_close(readout, embeddings_by_hand(whole, ego, s, depth))

    kept = oracle.edges_in(model.graph(torch.eye(13).double()), 6)
    assert len(kept) == 7
    scored = embeddings_by_hand(oracle.adjacency(kept, 6, 7), ego, s, 2)
    losses = {
        "bpr": oracle.bpr(scored[:6] @ scored[6:].T, batch),
        "regularization": oracle.half_mean_squares(ego[:6], ego[6:], batch),
    }
    oracle.assert_same_losses(model.losses(batch), losses, model, leaves)


def test_neighbours_are_searched_once_an_epoch(small, build) -> None:
    model = build(small, "lattice", embedding_size=5, knn_k=2)
    model.begin_epoch(Epoch.of(7, 1))
    first = model.item_graph.neighbours.clone()
    with torch.no_grad():
        for p in model.item_graph.projections.parameters():
            p.copy_(torch.randn(p.shape))
    model.begin_epoch(Epoch.of(7, 1))  # again, as when a stopped epoch goes on
    assert torch.equal(model.item_graph.neighbours, first)
    model.begin_epoch(Epoch.of(7, 2))
    assert not torch.equal(model.item_graph.neighbours, first)
    tables = [rows.detach() for rows in model.item_graph.projected()]
    for rows, near in zip(tables, model.item_graph.neighbours, strict=True):
        for i in range(7):
            cosines = [float(oracle.cosine(rows[i], rows[j])) for j in range(7)]
            assert set(near[i].tolist()) == set(np.argsort(cosines)[-2:].tolist())


def test_loaded_neighbours_are_used(small, build) -> None:
    model, other = (build(small, "lattice", embedding_size=5, knn_k=2) for _ in range(2))
    current_embeddings(other)
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(torch.randn(p.shape))
    model.begin_epoch(Epoch.of(7, 4))
    other.load_state_dict(model.state_dict())
    for mine, theirs in zip(current_embeddings(model), current_embeddings(other), strict=True):
        assert torch.equal(mine, theirs)


@pytest.mark.parametrize("n", [1, 2])
def test_an_item_with_empty_features_stays_finite(small, build, n: int) -> None:
    small.features["text"][3] = 0
    model = build(small, "lattice", embedding_size=5, modalities=("text",), n_mm_layers=n)
    assert all(bool(x.isfinite().all()) for x in current_embeddings(model))
