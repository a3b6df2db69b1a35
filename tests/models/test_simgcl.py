"""SimGCL against its equations on dense matrices, with the noise that was drawn."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from rednd_core.modeling.observe import current_embeddings
from tests.models import oracle
from tests.models.oracle import PATH, UNITS


def readout_by_hand(a: Tensor, ego: Tensor, noises: list[Tensor]) -> Tensor:
    """Mean of layers 1..L; every layer is moved by its noise, towards its own signs."""
    layers, state = [], ego
    for noise in noises:
        state = a @ state
        state = state + state.detach().sign() * noise
        layers.append(state)
    return sum(layers) / len(layers)


def test_the_oracle_on_a_path() -> None:
    quiet = [torch.zeros(4, 2).double()] * 2
    readout = readout_by_hand(oracle.adjacency(PATH, 2, 2), UNITS, quiet)
    want = [[0.7286, 0.4268], [0.1768, 0.6036], [0.6036, 0.1768], [0.4268, 0.7286]]
    torch.testing.assert_close(readout, torch.tensor(want).double(), rtol=0, atol=6e-5)
    scores = torch.tensor([[0.5152, 0.6219], [0.2134, 0.5152]]).double()
    torch.testing.assert_close(readout[:2] @ readout[2:].T, scores, rtol=0, atol=6e-5)


def drawn(model, n_layers: int, length: float) -> list[list[Tensor]]:
    """The noise of two views, layer by layer, as the model's generator draws it for its next losses."""
    generator = torch.Generator().set_state(model.generator.get_state())
    views = []
    for _ in range(2):
        noises = []
        for _ in range(n_layers):
            q = torch.rand(model.node_emb.shape, generator=generator, dtype=torch.float64)
            noises.append(length * q / q.norm(dim=1, keepdim=True))
        views.append(noises)
    return views


@pytest.mark.parametrize("noise", [0.0, 0.4])
@pytest.mark.parametrize("n_layers", [1, 3])
def test_scores_losses_and_gradients(
    small, build, batch, engine: str, n_layers: int, noise: float
) -> None:
    model = build(small, "simgcl", engine, embedding_size=5, n_layers=n_layers, noise=noise)
    leaves = oracle.leaves_of(model)
    ego = leaves["node_emb"]
    a = oracle.adjacency(oracle.edges_of(small), 6, 7)
    silence = [torch.zeros_like(ego)] * n_layers
    clean = readout_by_hand(a, ego, silence)
    torch.testing.assert_close(torch.cat(current_embeddings(model)), clean)

    first, second = (readout_by_hand(a, ego, noises) for noises in drawn(model, n_layers, noise))
    users = sorted(set(batch.users.tolist()))
    items = sorted({6 + item for item in batch.pos_items.tolist()})
    expected = {
        "bpr": oracle.bpr(clean[:6] @ clean[6:].T, batch),
        "regularization": oracle.half_mean_squares(ego[:6], ego[6:], batch),
        "contrast": oracle.info_nce(first, second, users, 0.2)
        + oracle.info_nce(first, second, items, 0.2),
    }
    oracle.assert_same_losses(model.losses(batch), expected, model, leaves)


def test_noise_has_its_length_and_changes_no_sign(small, build) -> None:
    model = build(small, "simgcl", embedding_size=5, n_layers=1, noise=0.4)
    _, clean = model.propagate(model.node_emb)
    _, noisy = model.propagate(model.node_emb, model.noisy)
    connected = clean.detach().abs().sum(1) > 0
    assert not connected.all()
    lengths = (noisy - clean).norm(dim=1)
    torch.testing.assert_close(lengths, 0.4 * connected.double())
    assert bool((noisy * clean >= 0).all())
    _, again = model.propagate(model.node_emb, model.noisy)
    assert bool((noisy != again)[connected].any(dim=1).all())


def test_without_a_weight_there_is_no_contrast(small, build, batch) -> None:
    model = build(small, "simgcl", contrast_weight=0)
    before = model.generator.get_state()
    assert set(model.losses(batch)) == {"bpr", "regularization"}
    assert torch.equal(model.generator.get_state(), before)
