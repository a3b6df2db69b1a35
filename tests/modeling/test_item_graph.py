"""The item graph as one matrix, against dense neighbours."""

from __future__ import annotations

import numpy as np
import pytest

from rednd_core.modeling.base import EmbeddingHyperparameters
from rednd_core.modeling.multimodal import ItemGraphHyperparameters, item_graph_matrix
from tests.models import oracle


@pytest.fixture
def features():
    rng = np.random.default_rng(0)
    return {m: rng.normal(size=(7, d)).astype(np.float32) for m, d in {"a": 3, "b": 4}.items()}


def test_graphs_are_fused_and_multiplied(features) -> None:
    settings = ItemGraphHyperparameters(knn_k=3, n_mm_layers=2, fusion_weights={"a": 0.2, "b": 0.8})
    once = sum(w * oracle.nearest(features[m], 3).numpy() for m, w in {"a": 0.2, "b": 0.8}.items())
    found = item_graph_matrix(settings, features)
    np.testing.assert_allclose(found.toarray(), once @ once, atol=1e-6)


def test_only_chosen_modalities_take_part(features) -> None:
    found = item_graph_matrix(ItemGraphHyperparameters(knn_k=3, modalities=("b",)), features)
    np.testing.assert_allclose(found.toarray(), oracle.nearest(features["b"], 3).numpy(), atol=1e-6)


def test_a_model_without_an_item_graph_has_none(features) -> None:
    assert item_graph_matrix(EmbeddingHyperparameters(), features) is None
    assert item_graph_matrix(ItemGraphHyperparameters(n_mm_layers=0), features) is None
