"""The remedies against their equations on dense matrices, on every model with propagation."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from rednd_core.errors import ConfigError
from rednd_core.modeling.observe import current_embeddings, current_layers, current_readouts
from rednd_core.modeling.randomness import Epoch
from rednd_core.modeling.registry import CARDS, model_class, weight_setting
from rednd_core.modeling.remedies import LayerRemedies, pair_normalised
from tests.models import oracle
from tests.models.oracle import PATH, UNITS

PROPAGATING = [
    name for name in CARDS if "n_layers" in model_class(name).settings_class.model_fields
]
LINEAR = [name for name in PROPAGATING if model_class(name).linear_propagation]
PLAIN = {"edge_dropout": 0, "layer_refinement": "off"}


def aligned(name: str, weight: float) -> dict[str, float]:
    """RedNⁿD has the alignment of its own, all others have it as a plug-in."""
    return {weight_setting(model_class(name).alignment_loss): weight}


def test_every_model_with_propagation_has_the_remedies() -> None:
    assert set(PROPAGATING) == set(CARDS) - {"mf", "popularity", "vbpr"}
    for name in PROPAGATING:
        fields = model_class(name).settings_class.model_fields
        assert set(LayerRemedies.model_fields) <= set(fields)
        assert weight_setting(model_class(name).alignment_loss) in fields


def layers_by_hand(
    a: Tensor, ego: Tensor, n_layers: int, residual: float = 0, refines: bool = False, length=0.0
) -> list[Tensor]:
    layers = [ego]
    for _ in range(n_layers):
        y = (1 - residual) * (a @ layers[-1]) + residual * ego
        if refines:
            weights = [oracle.cosine(row, own) for row, own in zip(y, ego, strict=True)]
            y = torch.stack([w * row for w, row in zip(weights, y, strict=True)])
        if length:
            y = torch.cat([pair_norm_by_hand(side, length) for side in (y[:6], y[6:])])
        layers.append(y)
    return layers


def pair_norm_by_hand(rows: Tensor, length: float) -> Tensor:
    centred = torch.stack([row - sum(rows) / len(rows) for row in rows])
    mean_square = sum(row @ row for row in centred) / len(rows)
    return length * centred / mean_square.sqrt()


def correlation_by_hand(rows: Tensor) -> Tensor:
    columns = rows.T
    pairs = [(i, j) for i in range(len(columns)) for j in range(i)]
    shifted = [column - column.mean() for column in columns]
    return torch.stack([oracle.cosine(shifted[i], shifted[j]) ** 2 for i, j in pairs]).sum().sqrt()


def decorrelation_by_hand(layers: list[Tensor]) -> Tensor:
    """Users and items of x^1 .. x^L; the weights of the layers have no gradient."""
    total = torch.zeros(()).double()
    for side in (slice(0, 6), slice(6, None)):
        found = [correlation_by_hand(x[side]) for x in layers[1:]]
        whole = sum(1 / float(c) for c in found)
        total = total + sum(c / float(c) / whole for c in found)
    return total


def test_the_oracle_on_a_path() -> None:
    """APPNP with a = .1 and K = 2, as its recursion and as its closed form."""
    a = oracle.adjacency(PATH, 2, 2)
    _, _, last = layers_by_hand(a, UNITS, 2, 0.1)
    numbers = [[0.7711, 0.3314], [0.2864, 0.5686], [0.5686, 0.2864], [0.3314, 0.7711]]
    torch.testing.assert_close(last, torch.tensor(numbers).double(), rtol=0, atol=6e-5)
    closed = 0.81 * a @ a @ UNITS + 0.1 * UNITS + 0.09 * a @ UNITS
    torch.testing.assert_close(last, closed)


@pytest.mark.parametrize(
    ("n_layers", "residual", "refines", "length", "read_out"),
    [
        (1, 0.3, False, 0, "off"),
        (3, 0, True, 0, "concat"),
        (3, 0, False, 1.5, "max"),
        (3, 0, False, 0, "max"),
        (2, 0.2, True, 0.5, "concat"),
    ],
)
def test_layers_scores_and_losses(
    small, build, batch, engine: str, n_layers: int, residual: float, refines: bool, length: float,
    read_out: str,
) -> None:  # fmt: skip
    """LightGCN on the graph of an epoch; what is looked at is that of the whole graph."""
    model = build(
        small, "lightgcn", engine, embedding_size=5, n_layers=n_layers, edge_dropout=0.3,
        initial_residual=residual, layer_refinement="cosine" if refines else "off", pair_norm=length,
        jumping_knowledge=read_out, plugin_alignment_weight=0.1,
        decorrelation_weight=0.1,
    ).train()  # fmt: skip
    leaves = oracle.leaves_of(model)
    ego = leaves["node_emb"]

    def by_hand(a: Tensor) -> tuple[list[Tensor], Tensor]:
        layers = layers_by_hand(a, ego, n_layers, residual, refines, length)
        z = {
            "off": sum(layers) / (n_layers + 1),
            "concat": torch.cat(layers[1:], dim=1),
            "max": torch.stack(layers[1:]).max(dim=0).values,
        }
        return layers, z[read_out]

    model.begin_epoch(Epoch.of(7, 1))
    layers, readout = by_hand(oracle.adjacency(oracle.edges_of(small), 6, 7))
    for found, want in zip(current_layers(model)["id"], layers, strict=True):
        torch.testing.assert_close(found, want)
    torch.testing.assert_close(torch.cat(current_embeddings(model)), readout)

    kept = oracle.edges_in(model.graph(torch.eye(13).double()), 6)
    assert len(kept) == 7
    layers, readout = by_hand(oracle.adjacency(kept, 6, 7))
    nodes = sorted({*batch.users.tolist(), *(6 + item for item in batch.pos_items.tolist())})
    expected = {
        "bpr": oracle.bpr(readout[:6] @ readout[6:].T, batch),
        "regularization": oracle.half_mean_squares(ego[:6], ego[6:], batch),
        "plugin_alignment": oracle.info_nce(ego, sum(layers[1:]) / n_layers, nodes, 0.2),
        "decorrelation": decorrelation_by_hand(layers),
    }
    oracle.assert_same_losses(model.losses(batch), expected, model, leaves)


@pytest.mark.parametrize("name", LINEAR)
def test_the_remedies_of_every_linear_model(small, build, batch, name: str) -> None:
    """Layers by the equation; and what scores is the last readout, also where a model has a fast path."""
    model = build(
        small, name, n_layers=3, embedding_size=4, initial_residual=0.3, pair_norm=0.5,
        jumping_knowledge="max", decorrelation_weight=0.1, **aligned(name, 0.1), **PLAIN,
    )  # fmt: skip
    assert not model.linear_propagation
    a = oracle.adjacency(oracle.edges_of(small), 6, 7)
    nodes = sorted({*batch.users.tolist(), *(6 + item for item in batch.pos_items.tolist())})
    alignment = decorrelation = 0
    for states in current_layers(model).values():
        want = layers_by_hand(a, states[0], 3, 0.3, length=0.5)
        for found, layer in zip(states, want, strict=True):
            torch.testing.assert_close(found, layer)
        alignment += oracle.info_nce(states[0], sum(want[1:]) / 3, nodes, 0.2)
        decorrelation += decorrelation_by_hand(want)
    losses = model.losses(batch)
    torch.testing.assert_close(losses[model.alignment_loss], alignment)
    torch.testing.assert_close(losses["decorrelation"], decorrelation)
    last = torch.cat([z[-1] for z in current_readouts(model).values()], dim=1)
    torch.testing.assert_close(torch.cat(current_embeddings(model)), last)


@pytest.mark.parametrize("strength", [0, 0.5])
def test_gcn_as_gcnii(small, build, strength: float) -> None:
    """x^l = ReLU((1 - b) y + b (y W + bias)), y = (1 - a) A x^(l-1) + a x^0, b = ln(lambda / l + 1)."""
    model = build(
        small, "gcn", embedding_size=5, n_layers=2, initial_residual=0.3, identity_mapping=strength
    )
    a, ego = oracle.adjacency(oracle.edges_of(small), 6, 7), model.node_emb.detach()
    layers = [ego]
    for depth, layer in enumerate(model.transforms, start=1):
        b = math.log(strength / depth + 1) if strength else 1
        y = 0.7 * a @ layers[-1] + 0.3 * ego
        state = (1 - b) * y + b * (y @ layer.weight.detach().T + layer.bias.detach())
        layers.append(state.clamp_min(0) if depth == 1 else state)
    for found, want in zip(current_layers(model)["id"], layers, strict=True):
        torch.testing.assert_close(found, want)


def test_identity_mapping_of_both_weights_of_ngcf(small, build) -> None:
    model = build(small, "ngcf", embedding_size=5, n_layers=2, identity_mapping=0.5)
    a, x = oracle.adjacency(oracle.edges_of(small), 6, 7), model.node_emb.detach()
    for depth, (w1, w2) in enumerate(zip(model.sums, model.products, strict=True), start=1):
        b, one = math.log(0.5 / depth + 1), torch.eye(5).double()
        w1, w2 = ((1 - b) * one + b * w.detach() for w in (w1, w2))
        y = a @ x
        x = torch.nn.functional.leaky_relu((y + x) @ w1 + (y * x) @ w2, 0.2)
        x = x / x.norm(dim=1, keepdim=True).clamp_min(1e-12)
        torch.testing.assert_close(current_layers(model)["id"][depth], x)


def test_pair_norm_on_paper() -> None:
    """Rows (0,0), (4,0), (0,0), (0,0): -.5774 and 1.7321; the mean squared distance of all pairs is 2."""
    rows = torch.tensor([[0, 0], [4, 0], [0, 0], [0, 0]]).double()
    found = pair_normalised(rows, 1)
    want = torch.tensor([-(3**-0.5), 3**0.5, -(3**-0.5), -(3**-0.5)]).double()
    torch.testing.assert_close(found[:, 0], want)
    assert float(torch.cdist(found, found).square().mean()) == pytest.approx(2)
    assert not pair_normalised(torch.ones(3, 2), 1).any()


@pytest.mark.parametrize("name", ["bm3", "freedom"])
def test_layers_side_by_side_are_refused_where_a_model_goes_on(small, build, name: str) -> None:
    with pytest.raises(ConfigError, match="jumping_knowledge=max or off"):
        build(small, name, jumping_knowledge="concat")


@pytest.mark.parametrize("name", PROPAGATING)
def test_an_alignment_can_be_switched_on_in_training(small, build, batch, name: str) -> None:
    """It begins with the weight 0, where it is not computed."""
    model = build(small, name, **aligned(name, 0))
    assert model.alignment_loss not in model.losses(batch)
    model.set_loss_weight(model.alignment_loss, 0.1)
    assert model.losses(batch)[model.alignment_loss] > 0
    with pytest.raises(ConfigError, match="n_layers of at least 1"):
        build(small, name, n_layers=0, **aligned(name, 0.1))


def test_sgl_propagates_its_views_with_the_remedies(small, build) -> None:
    model = build(small, "sgl", n_layers=2, initial_residual=1)
    for side in model.embeddings_on(model.view_graphs[0]):
        own = model.split_nodes(model.node_emb)[0 if len(side) == 6 else 1]
        torch.testing.assert_close(side, own)
