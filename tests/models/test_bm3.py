"""BM3 against its equations on dense matrices, with the dropout that was drawn."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from rednd_core.modeling.observe import current_embeddings, current_readouts
from tests.models import oracle


def hidden_by_hand(a: Tensor, ego: Tensor, n_layers: int, n_users: int) -> Tensor:
    """Mean of layers 0..L, and x^0 once more for an item."""
    layers = [ego]
    for _ in range(n_layers):
        layers.append(a @ layers[-1])
    mean = sum(layers) / len(layers)
    return torch.cat([mean[:n_users], mean[n_users:] + ego[n_users:]])


def test_the_oracle_on_a_path() -> None:
    """u0 - i0 - u1 - i1 with x^0 = 1, 2, 3, 4 and one layer."""
    a = oracle.adjacency([(0, 0), (1, 0), (1, 1)], 2, 2)
    ego = torch.arange(1.0, 5)[:, None].double()
    want = torch.tensor([[1.560660], [3.164214], [5.353553], [6.707107]]).double()
    torch.testing.assert_close(hidden_by_hand(a, ego, 1, 2), want, rtol=0, atol=1e-6)


def targets_by_hand(model, tables: list[Tensor], rate: float) -> list[Tensor]:
    """Each table without a gradient and with the entries gone that the model's generator will draw."""
    generator = torch.Generator().set_state(model.generator.get_state())
    found = []
    for table in tables:
        draw = torch.rand(table.shape, generator=generator)
        found.append(table.detach() * (draw >= rate).double() / (1 - rate))
    return found


@pytest.mark.parametrize(("n_layers", "rate"), [(0, 0.5), (1, 0.0), (2, 0.5)])
def test_scores_losses_and_gradients(
    small, build, batch, engine: str, n_layers: int, rate: float
) -> None:
    model = build(
        small, "bm3", engine, embedding_size=5, n_layers=n_layers, target_dropout=rate
    ).train()
    leaves = oracle.leaves_of(model)
    ego = leaves["node_emb"]
    a = oracle.adjacency(oracle.edges_of(small), 6, 7)

    def q(rows: Tensor) -> Tensor:
        return rows @ leaves["predictor.weight"].T + leaves["predictor.bias"]

    h = hidden_by_hand(a, ego, n_layers, 6)
    torch.testing.assert_close(torch.cat(current_embeddings(model)), q(h))
    for depth, found in enumerate(current_readouts(model)["id"]):
        torch.testing.assert_close(found, q(hidden_by_hand(a, ego, depth, 6)))

    contents = [
        torch.from_numpy(small.features[m]).double() @ leaves[f"projections.{k}.weight"].T
        + leaves[f"projections.{k}.bias"]
        for k, m in enumerate(["image", "sound", "text"])
    ]
    target, *content_targets = targets_by_hand(model, [h, *contents], rate)

    def unlike(pairs: list[tuple[Tensor, Tensor]]) -> Tensor:
        return torch.stack([1 - oracle.cosine(one, other) for one, other in pairs]).mean()

    rows = [(u, i) for u, i, _ in oracle.rows_of(batch)]
    modality = sum(
        unlike([(q(content[i]), target[6 + i]) for _, i in rows])
        + unlike([(q(content[i]), own[i]) for _, i in rows])
        for content, own in zip(contents, content_targets, strict=True)
    )
    penalties = [(h[u].square().sum() + h[6 + i].square().sum()) / 2 for u, i in rows]
    expected = {
        "interaction": unlike([(q(h[u]), target[6 + i]) for u, i in rows])
        + unlike([(q(h[6 + i]), target[u]) for u, i in rows]),
        "modality": modality,
        "regularization": torch.stack(penalties).mean(),
    }
    oracle.assert_same_losses(model.losses(batch), expected, model, leaves)
