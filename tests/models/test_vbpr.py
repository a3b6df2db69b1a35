"""VBPR against its equations, one score at a time."""

from __future__ import annotations

import torch
from torch import Tensor

from tests.models import oracle


def scores_by_hand(leaves: dict[str, Tensor], features: Tensor) -> Tensor:
    """s(u, i) = b_i + w . f_i + g_u . g_i + t_u . (E f_i), (n_users, n_items)."""
    size = leaves["item_emb"].shape[1]
    rows = []
    for user in leaves["user_emb"]:
        latent, taste = user[:size], user[size:]
        rows.append(
            [
                bias
                + leaves["feature_bias"] @ f
                + latent @ item
                + taste @ (leaves["projection"] @ f)
                for bias, item, f in zip(
                    leaves["item_bias"], leaves["item_emb"], features, strict=True
                )
            ]
        )
    return torch.stack([torch.stack(row) for row in rows])


def test_scores_losses_and_gradients(small, build, batch) -> None:
    model = build(small, "vbpr", embedding_size=4)
    with torch.no_grad():  # both start at 0
        model.item_bias.normal_()
        model.feature_bias.normal_()
    leaves = oracle.leaves_of(model)
    features = torch.cat([torch.from_numpy(small.features[m]) for m in sorted(small.features)], 1)
    scores = scores_by_hand(leaves, features.double())
    users, items = model.embeddings()
    torch.testing.assert_close(users @ items.T, scores)
    biased = torch.cat([leaves["item_emb"], leaves["item_bias"][:, None]], dim=1)
    expected = {
        "bpr": oracle.bpr(scores, batch),
        "regularization": oracle.half_mean_squares(leaves["user_emb"], biased, batch),
    }
    oracle.assert_same_losses(model.losses(batch), expected, model, leaves)


def test_a_score_by_hand(make_dataset, build) -> None:
    """d = 1: g_u g_i + t_u (E f_i) = 1 * .5 + 2 * (.5 * 3) = 3.5, and b_i + w f_i = .1 + .2 * 3."""
    import numpy as np

    features = {"image": np.array([[3.0], [1.0]], dtype=np.float32)}
    model = build(make_dataset(1, 2, [(0, 0)], features=features), "vbpr", embedding_size=1)
    values = {
        "user_emb": [[1.0, 2.0]], "item_emb": [[0.5], [-1.0]], "projection": [[0.5]],
        "item_bias": [0.1, 0.0], "feature_bias": [0.2],
    }  # fmt: skip
    with torch.no_grad():
        for name, value in values.items():
            getattr(model, name).copy_(torch.tensor(value))
    users, items = model.embeddings()
    want = torch.tensor([[3.5 + 0.7, 0.0 + 0.2]]).double()
    torch.testing.assert_close(users @ items.T, want, rtol=0, atol=1e-6)
