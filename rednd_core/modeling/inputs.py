"""What models are built from: sizes, train pairs, features and graphs, bound to one engine and device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rednd_core.cache import kept_arrays
from rednd_core.config import Engine
from rednd_core.data.schema import Dataset, Interactions
from rednd_core.errors import ConfigError
from rednd_core.graph.bipartite import BipartiteGraph, bipartite_graph
from rednd_core.graph.engine import propagator, resolve_device, weighted_product
from rednd_core.graph.normalize import SparseMatrix
from rednd_core.graph.propagator import Propagate, Propagator, weighted_sum
from rednd_core.graph.semantic import cosine_knn, semantic_graph
from rednd_core.graph.weighted import EdgePattern, WeightedProduct


@dataclass(frozen=True)
class ModelInputs:
    """What a model may be built from; all tensors are on ``device``.

    Attributes:
        train: train pairs, for models that count.
        features: modality -> (n_items, dim) float32.
        graph: the user-item graph of the train pairs: its adjacency, normalisation and degrees.
    """

    n_users: int
    n_items: int
    train: Interactions
    features: Mapping[str, Tensor]
    graph: BipartiteGraph
    device: torch.device
    engine: Engine = "auto"

    def bind(self, matrix: SparseMatrix) -> Propagator:
        """Differentiable products with a normalised graph, (n, n), by the engine of this run.

        E.g. of the user-item graph without some of its edges:
        ``inputs.bind(normalized_subset(inputs.graph, kept))``, see :mod:`rednd_core.graph.sampling`.
        """
        return propagator(matrix, self.engine, self.device)

    def weighted(self, pattern: EdgePattern) -> WeightedProduct:
        """(weights, x) -> W x for a fixed pattern of edges, differentiable in both."""
        return weighted_product(pattern, self.engine, self.device)

    @cached_property
    def user_item(self) -> Propagator:
        """Propagation on the whole normalised user-item graph of N nodes."""
        return self.bind(self.graph.norm_adj)

    def item_graph(self, knn_k: int, fusion_weights: Mapping[str, float]) -> Propagate:
        """Propagation on the cosine kNN graphs of the raw features, (n_items, d) -> (n_items, d).

        Args:
            knn_k: neighbours of an item, itself included.
            fusion_weights: modality -> weight of its graph; a weight of 0 leaves it out.

        Raises:
            ConfigError: a weight for a modality that the data set does not have.
        """
        missing = set(fusion_weights) - set(self.features)
        if missing:
            raise ConfigError(
                expected=f"fusion weights for the modalities {sorted(self.features)}",
                found=f"a weight for {sorted(missing)}",
                remedy="name only modalities that the data set has",
            )
        return weighted_sum(
            [
                (weight, self.bind(semantic_graph(self._raw(modality), knn_k, kept_arrays())))
                for modality, weight in fusion_weights.items()
                if weight
            ]
        )

    def nearest_items(self, modality: str, knn_k: int) -> Tensor:
        """The most similar items of every item by raw features, itself first, (n_items, k)."""
        found = cosine_knn(self._raw(modality), knn_k, kept_arrays())
        return torch.from_numpy(found.rows).to(self.device)

    def _raw(self, modality: str) -> NDArray[np.float32]:
        rows: NDArray[np.float32] = self.features[modality].float().cpu().numpy()
        return rows

    @property
    def generator_device(self) -> torch.device:
        """Where random numbers of a training step are drawn."""
        return self.device


def build_inputs(
    dataset: Dataset,
    *,
    engine: Engine = "auto",
    device: str | torch.device = "cpu",
    graph: BipartiteGraph | None = None,
) -> ModelInputs:
    """Bind a data set to an engine and a device; ``graph`` saves building it twice."""
    where = device if isinstance(device, torch.device) else resolve_device(device)
    return ModelInputs(
        n_users=dataset.n_users,
        n_items=dataset.n_items,
        train=dataset.train,
        features={m: torch.from_numpy(rows).to(where) for m, rows in dataset.features.items()},
        graph=graph or bipartite_graph(dataset.train, dataset.n_users, dataset.n_items),
        device=where,
        engine=engine,
    )
