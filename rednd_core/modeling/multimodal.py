"""What multimodal models share: which features they read, and the frozen item graph that is made of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import numpy as np
import scipy.sparse as sp
import torch
from numpy.typing import NDArray
from pydantic import Field, ValidationInfo, field_validator
from torch import Tensor, nn

from rednd_core.cache import kept_arrays
from rednd_core.config import MOST_MODALITIES
from rednd_core.errors import ConfigError
from rednd_core.graph.propagator import Propagate
from rednd_core.graph.semantic import semantic_graph
from rednd_core.modeling.base import EmbeddingHyperparameters, Hyperparameters
from rednd_core.modeling.inputs import ModelInputs


class MultimodalHyperparameters(EmbeddingHyperparameters):
    """Settings of a model that reads item features."""

    modalities: tuple[str, ...] = Field(
        (), title="Modalities", description="Modalities to use; empty means all"
    )

    @field_validator("modalities")
    @classmethod
    def _distinct(cls, modalities: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(modalities)) < len(modalities):
            raise ValueError("every modality once")
        return modalities


class ItemGraphHyperparameters(MultimodalHyperparameters):
    """Settings of a model with a frozen item graph: cosine kNN of the raw features, fused by weights."""

    n_mm_layers: int = Field(
        1, ge=0, le=8, title="Item-item layers", description="Propagation steps on items-items, n"
    )
    knn_k: int = Field(
        10,
        ge=1,
        le=200,
        title="Neighbours of an item",
        description="Neighbours of an item, itself included",
    )
    fusion_weights: dict[str, Annotated[float, Field(ge=0, le=1e6)]] = Field(
        default_factory=dict,
        title="Modality weights",
        description="Modality weights of the item graph; empty: image .1 and text .9, else equal",
    )

    @field_validator("fusion_weights")
    @classmethod
    def _weigh_what_is_used(
        cls, weights: dict[str, float], info: ValidationInfo
    ) -> dict[str, float]:
        if weights and not sum(weights.values()):
            raise ValueError("at least one weight above 0; n_mm_layers=0 leaves the item graph out")
        chosen = info.data.get("modalities")
        if chosen and (foreign := set(weights) - set(chosen)):
            raise ValueError(
                f"only weights of the chosen modalities, not of {', '.join(sorted(foreign))}"
            )
        return weights


def chosen_modalities(inputs: ModelInputs, settings: MultimodalHyperparameters) -> tuple[str, ...]:
    """The modalities that a model reads: those of its settings, or all of the data set, sorted.

    Raises:
        ConfigError: the data set has no features, or not those; more than a run can record.
    """
    chosen = settings.modalities or tuple(sorted(inputs.features))
    missing = [m for m in chosen if m not in inputs.features]
    if missing or not chosen:
        raise ConfigError(
            expected="item features of at least one modality"
            + (f", among them {', '.join(missing)}" if missing else ""),
            found=", ".join(sorted(inputs.features)) or "none in this data set",
            remedy="add <modality>_feat.npy to the folder, or choose a model without features",
        )
    if len(chosen) > MOST_MODALITIES:
        raise ConfigError(
            expected=f"at most {MOST_MODALITIES} modalities in a model",
            found=str(len(chosen)),
            remedy="choose some of them with the setting modalities",
        )
    return chosen


def fusion_weights(
    modalities: tuple[str, ...], settings: ItemGraphHyperparameters
) -> Mapping[str, float]:
    """Modality -> weight of its item graph: alpha = .1 for image against text, equal for other sets."""
    if settings.fusion_weights:
        return settings.fusion_weights
    if set(modalities) == {"image", "text"}:
        return {"image": 0.1, "text": 0.9}
    return {m: 1 / len(modalities) for m in modalities}


def item_graph_matrix(
    settings: Hyperparameters, features: Mapping[str, NDArray[np.float32]]
) -> sp.csr_array | None:
    """S^n as one matrix, (n_items, n_items): what a model with these settings adds to its items.

    None for a model without an item graph.

    Args:
        features: modality -> (n_items, dim), of the data set.
    """
    if not isinstance(settings, ItemGraphHyperparameters) or not settings.n_mm_layers:
        return None
    chosen = settings.modalities or tuple(sorted(features))
    parts = [
        weight * semantic_graph(features[m], settings.knn_k, kept_arrays()).to_scipy()
        for m, weight in fusion_weights(chosen, settings).items()
        if weight
    ]
    once = sp.csr_array(sum(parts[1:], start=parts[0]))
    matrix = once
    for _ in range(settings.n_mm_layers - 1):
        matrix = sp.csr_array(once @ matrix)
    return matrix


def item_graph_power(
    inputs: ModelInputs, modalities: tuple[str, ...], settings: ItemGraphHyperparameters
) -> Propagate:
    """x -> S^n x, (n_items, D) -> (n_items, D), S the fused item graph and n = ``n_mm_layers``.

    Models add the result to their items, so for n = 0, which leaves the item graph out, it is zeros.
    """
    if not settings.n_mm_layers:
        return torch.zeros_like
    item_graph = inputs.item_graph(settings.knn_k, fusion_weights(modalities, settings))

    def power(x: Tensor) -> Tensor:
        for _ in range(settings.n_mm_layers):
            x = item_graph(x)
        return x

    return power


def feature_mlp(dim: int, d: int) -> nn.Sequential:
    """Linear(dim, 4d), LeakyReLU, Linear(4d, d): what projects the features of a modality."""
    return nn.Sequential(nn.Linear(dim, 4 * d), nn.LeakyReLU(), nn.Linear(4 * d, d))
