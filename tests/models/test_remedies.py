"""The remedies against their equations on dense matrices, on every model with propagation."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from rednd_core.errors import ConfigError
from rednd_core.modeling.observe import current_embeddings, current_layers, current_readouts
from rednd_core.modeling.randomness import Epoch
from rednd_core.modeling.registry import CARDS, model_class
from tests.models import oracle
from tests.models.oracle import PATH, UNITS

PROPAGATING = [
    name for name in CARDS if "n_layers" in model_class(name).settings_class.model_fields
]
LINEAR = [name for name in PROPAGATING if model_class(name).linear_propagation]
PLAIN = {"edge_dropout": 0, "layer_refinement": "off"}


def test_every_model_with_propagation_has_the_remedies() -> None:
    assert set(PROPAGATING) == set(CARDS) - {"mf", "popularity", "vbpr"}
    for name in PROPAGATING:
        fields = model_class(name).settings_class.model_fields
        assert {"edge_dropout", "initial_residual", "layer_refinement", "alignment_weight"} <= set(
            fields
        )


def layers_by_hand(a: Tensor, ego: Tensor, n_layers: int, residual: float, refines: bool) -> list:
    layers = [ego]
    for _ in range(n_layers):
        y = (1 - residual) * (a @ layers[-1]) + residual * ego
        if refines:
            weights = [oracle.cosine(row, own) for row, own in zip(y, ego, strict=True)]
            y = torch.stack([w * row for w, row in zip(weights, y, strict=True)])
        layers.append(y)
    return layers


def test_the_oracle_on_a_path() -> None:
    """APPNP with a = .1 and K = 2, as its recursion and as its closed form."""
    a = oracle.adjacency(PATH, 2, 2)
    _, _, last = layers_by_hand(a, UNITS, 2, 0.1, False)
    numbers = [[0.7711, 0.3314], [0.2864, 0.5686], [0.5686, 0.2864], [0.3314, 0.7711]]
    torch.testing.assert_close(last, torch.tensor(numbers).double(), rtol=0, atol=6e-5)
    closed = 0.81 * a @ a @ UNITS + 0.1 * UNITS + 0.09 * a @ UNITS
    torch.testing.assert_close(last, closed)


@pytest.mark.parametrize("n_layers", [1, 3])
@pytest.mark.parametrize(("residual", "refines"), [(0.3, False), (0, True), (0.2, True)])
def test_layers_scores_and_losses(
    small, build, batch, engine: str, n_layers: int, residual: float, refines: bool
) -> None:
    """LightGCN on the graph of an epoch; what is looked at is that of the whole graph."""
    refinement = "cosine" if refines else "off"
    model = build(
        small, "lightgcn", engine, embedding_size=5, n_layers=n_layers, edge_dropout=0.3,
        initial_residual=residual, layer_refinement=refinement, alignment_weight=0.1,
    ).train()  # fmt: skip
    leaves = oracle.leaves_of(model)
    ego = leaves["node_emb"]
    whole = oracle.adjacency(oracle.edges_of(small), 6, 7)
    model.begin_epoch(Epoch.of(7, 1))
    layers = layers_by_hand(whole, ego, n_layers, residual, refines)
    for found, want in zip(current_layers(model)["id"], layers, strict=True):
        torch.testing.assert_close(found, want)
    readout = sum(layers) / (n_layers + 1)
    torch.testing.assert_close(torch.cat(current_embeddings(model)), readout)

    kept = oracle.edges_in(model.graph(torch.eye(13).double()), 6)
    assert len(kept) == 7
    layers = layers_by_hand(oracle.adjacency(kept, 6, 7), ego, n_layers, residual, refines)
    readout = sum(layers) / (n_layers + 1)
    nodes = sorted({*batch.users.tolist(), *(6 + item for item in batch.pos_items.tolist())})
    expected = {
        "bpr": oracle.bpr(readout[:6] @ readout[6:].T, batch),
        "regularization": oracle.half_mean_squares(ego[:6], ego[6:], batch),
        "alignment": oracle.info_nce(ego, sum(layers[1:]) / n_layers, nodes, 0.2),
    }
    oracle.assert_same_losses(model.losses(batch), expected, model, leaves)


@pytest.mark.parametrize("name", LINEAR)
def test_a_residual_and_the_alignment_of_every_linear_model(small, build, batch, name: str) -> None:
    """Layers by the equation; and what scores is the last readout, also where a model has a fast path."""
    model = build(small, name, n_layers=3, initial_residual=0.3, alignment_weight=0.1, **PLAIN)
    assert not model.linear_propagation
    a = oracle.adjacency(oracle.edges_of(small), 6, 7)
    nodes = sorted({*batch.users.tolist(), *(6 + item for item in batch.pos_items.tolist())})
    alignment = 0
    for states in current_layers(model).values():
        want = layers_by_hand(a, states[0], 3, 0.3, False)
        for found, layer in zip(states, want, strict=True):
            torch.testing.assert_close(found, layer)
        alignment += oracle.info_nce(states[0], sum(want[1:]) / 3, nodes, 0.2)
    torch.testing.assert_close(model.losses(batch)["alignment"], alignment)
    last = torch.cat([z[-1] for z in current_readouts(model).values()], dim=1)
    torch.testing.assert_close(torch.cat(current_embeddings(model)), last)


def test_the_initial_residual_comes_before_weights(small, build) -> None:
    """x^1 = ReLU(((1 - a) A x^0 + a x^0) W + b), as in GCNII."""
    model = build(small, "gcn", embedding_size=5, n_layers=2, initial_residual=0.3)
    a, ego = oracle.adjacency(oracle.edges_of(small), 6, 7), model.node_emb.detach()
    first, second = (layer.requires_grad_(False) for layer in model.transforms)
    one = ((0.7 * a @ ego + 0.3 * ego) @ first.weight.T + first.bias).clamp_min(0)
    two = (0.7 * a @ one + 0.3 * ego) @ second.weight.T + second.bias
    for found, want in zip(current_layers(model)["id"], [ego, one, two], strict=True):
        torch.testing.assert_close(found, want)


@pytest.mark.parametrize("name", PROPAGATING)
def test_an_alignment_can_be_switched_on_in_training(small, build, batch, name: str) -> None:
    """It begins with the weight 0, where it is not computed."""
    model = build(small, name, alignment_weight=0)
    assert "alignment" not in model.losses(batch)
    model.set_loss_weight("alignment", 0.1)
    assert model.losses(batch)["alignment"] > 0
    with pytest.raises(ConfigError, match="n_layers of at least 1"):
        build(small, name, alignment_weight=0.1, n_layers=0)


def test_sgl_propagates_its_views_with_the_remedies(small, build) -> None:
    model = build(small, "sgl", n_layers=2, initial_residual=1)
    for side in model.embeddings_on(model.view_graphs[0]):
        own = model.split_nodes(model.node_emb)[0 if len(side) == 6 else 1]
        torch.testing.assert_close(side, own)
