"""SGC against powers of a dense matrix."""

from __future__ import annotations

import pytest
import torch

from rednd_core.modeling.observe import current_embeddings, current_layers
from tests.models import oracle
from tests.models.oracle import PATH, UNITS


def test_the_oracle_on_a_path() -> None:
    a = oracle.adjacency(PATH, 2, 2)
    z = a @ a @ UNITS
    scores = torch.tensor([[0.5, 0.5303], [0.3536, 0.5]]).double()
    torch.testing.assert_close(z[:2] @ z[2:].T, scores, rtol=0, atol=6e-5)


@pytest.mark.parametrize("n_layers", [0, 1, 4])
def test_scores_losses_and_gradients(small, build, batch, engine: str, n_layers: int) -> None:
    """z = A^L x^0; without a layer that is matrix factorisation."""
    model = build(small, "sgc", engine, embedding_size=5, n_layers=n_layers)
    leaves = oracle.leaves_of(model)
    ego = leaves["node_emb"]
    a = oracle.adjacency(oracle.edges_of(small), 6, 7)
    z = torch.linalg.matrix_power(a, n_layers) @ ego
    torch.testing.assert_close(torch.cat(current_embeddings(model)), z)
    for depth, state in enumerate(current_layers(model)["id"]):
        torch.testing.assert_close(state, torch.linalg.matrix_power(a, depth) @ ego)
    expected = {
        "bpr": oracle.bpr(z[:6] @ z[6:].T, batch),
        "regularization": oracle.half_mean_squares(ego[:6], ego[6:], batch),
    }
    oracle.assert_same_losses(model.losses(batch), expected, model, leaves)
