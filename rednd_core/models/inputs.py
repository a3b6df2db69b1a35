"""From a data set to what models are built from: tensors and propagators on one device."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from rednd_core.config import Engine
from rednd_core.data.schema import Dataset
from rednd_core.errors import ConfigError
from rednd_core.graph.bipartite import BipartiteGraph, bipartite_graph
from rednd_core.graph.engine import propagator, resolve_device
from rednd_core.graph.propagator import Propagate, weighted_sum
from rednd_core.graph.semantic import semantic_graph
from rednd_core.models.base import ModelInputs


def build_inputs(
    dataset: Dataset,
    *,
    engine: Engine = "auto",
    device: str | torch.device = "cpu",
    graph: BipartiteGraph | None = None,
) -> ModelInputs:
    """Bind a data set to an engine and a device; ``graph`` saves building it twice."""
    where = device if isinstance(device, torch.device) else resolve_device(device)
    graph = graph or bipartite_graph(dataset.train, dataset.n_users, dataset.n_items)

    def item_item(knn_k: int, fusion_weights: Mapping[str, float]) -> Propagate:
        missing = set(fusion_weights) - set(dataset.features)
        if missing:
            raise ConfigError(
                expected=f"fusion weights for the modalities {sorted(dataset.features)}",
                found=f"a weight for {sorted(missing)}",
                remedy="name only modalities that the data set has",
            )
        return weighted_sum(
            [
                (weight, propagator(semantic_graph(dataset.features[m], knn_k), engine, where))
                for m, weight in fusion_weights.items()
                if weight
            ]
        )

    return ModelInputs(
        n_users=dataset.n_users,
        n_items=dataset.n_items,
        train=dataset.train,
        features={m: torch.from_numpy(rows).to(where) for m, rows in dataset.features.items()},
        user_item=propagator(graph.norm_adj, engine, where),
        item_item=item_item,
        device=where,
    )
