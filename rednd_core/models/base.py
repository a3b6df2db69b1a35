"""What every model is: a module made of sizes, features and propagators, with three questions to answer.

A model opens no file and knows no path. Scores are inner products, so that evaluation, the per-user
lists and the app need two arrays and nothing else.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from rednd_core.config import StrictModel
from rednd_core.data.sampling import BPRBatch
from rednd_core.data.schema import Interactions
from rednd_core.errors import unknown_name
from rednd_core.graph.propagator import Propagate, Propagator
from rednd_core.models.memory import Footprint, Sizes

MAX_LAYERS = 32


@dataclass(frozen=True)
class Share:
    """The rows of a loss that one of several processes computes; by default all of them.

    A loss of a share is the sum over its rows divided by the number of *all* rows, so that values and
    gradients of the shares add up to those of the whole. A share may be empty, and its losses then
    are zeros that depend on the same parameters.
    """

    rank: int = 0
    world: int = 1

    def of(self, rows: Tensor) -> Tensor:
        """The share of (n, ...): a run of rows, as many as any other share has or one more."""
        if self.world == 1:
            return rows  # not even a view: nothing is added to the graph of gradients
        n = len(rows)
        return rows[n * self.rank // self.world : n * (self.rank + 1) // self.world]

    def of_batch(self, batch: BPRBatch) -> BPRBatch:
        return BPRBatch(self.of(batch.users), self.of(batch.pos_items), self.of(batch.neg_items))


WHOLE = Share()


@dataclass(frozen=True)
class ModelInputs:
    """What a model may be built from; all tensors are on ``device``.

    Attributes:
        train: train pairs, for models that count.
        features: modality -> (n_items, dim) float32.
        user_item: propagation on the normalised user-item graph of N nodes.
        item_item: (knn_k, modality -> fusion weight) -> propagation on the item graph,
            (n_items, d) -> (n_items, d).
    """

    n_users: int
    n_items: int
    train: Interactions
    features: Mapping[str, Tensor]
    user_item: Propagator
    item_item: Callable[[int, Mapping[str, float]], Propagate]
    device: torch.device


class Hyperparameters(StrictModel):
    """Settings of a model without any. Subclasses add theirs; unknown keys raise."""


class EmbeddingHyperparameters(Hyperparameters):
    """Settings that every embedding model shares."""

    embedding_size: int = Field(
        64, ge=1, le=4096, title="Embedding size", description="Columns of an embedding, d"
    )
    reg_weight: float = Field(
        1e-4, ge=0, le=10, title="L2 penalty", description="Weight of the L2 penalty"
    )


class Recommender(nn.Module, ABC):
    """Base of all models. Node order: users ``0..n_users-1``, then items.

    Attributes:
        name: registry key; how it is shown is in ``titles``.
        readout: how the layers combine into the final embedding; measures of direction ignore scale,
            so a sum is a ``"mean"``.
        linear_propagation: whether x^l = A x^(l-1) holds, so that a deeper layer can be computed from
            x^0 alone.
        loss_weights: name of a loss -> weight; a running job may change ``"alignment"``.
    """

    name: ClassVar[str]
    readout: ClassVar[Literal["mean", "last"]] = "mean"
    linear_propagation: ClassVar[bool] = False
    settings_class: ClassVar[type[Hyperparameters]] = Hyperparameters

    loss_weights: dict[str, float]

    def __init__(self, inputs: ModelInputs) -> None:
        super().__init__()
        self.n_users, self.n_items = inputs.n_users, inputs.n_items
        self.loss_weights = {}

    @classmethod
    def footprint(cls, settings: Any, sizes: Sizes) -> Footprint:
        """What training with ``settings`` (of ``settings_class``) takes, before it is built."""
        return Footprint(parameters=0, table=sizes.n_nodes)

    @abstractmethod
    def layers(self) -> dict[str, list[Tensor]]:
        """Modality -> [x^0 .. x^L], each (N, d); ``"id"`` where embeddings belong to ids."""

    @abstractmethod
    def embeddings(self) -> tuple[Tensor, Tensor]:
        """Users (n_users, D) and items (n_items, D) by a fresh forward pass: score = inner product."""

    def losses(self, batch: BPRBatch, share: Share = WHOLE) -> dict[str, Tensor]:
        """Named scalars whose weighted sum is minimised; empty for a model that is not trained.

        A costly loss whose weight is 0 may be left out. Of every sum over rows only ``share`` is
        computed, see :class:`Share`; ``batch`` is the whole one.
        """
        return {}

    @property
    def trainable(self) -> bool:
        return any(parameter.requires_grad for parameter in self.parameters())

    def set_loss_weight(self, name: str, value: float) -> None:
        """Change a weight from the next batch on.

        Raises:
            ConfigError: the model has no such loss.
        """
        if name not in self.loss_weights:
            raise unknown_name(f"loss of {self.name}", name, self.loss_weights)
        self.loss_weights[name] = value

    def split_nodes(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """(N, ...) -> users (n_users, ...), items (n_items, ...)."""
        return rows[: self.n_users], rows[self.n_users :]


def xavier_normal(n_rows: int, n_cols: int) -> nn.Parameter:
    """A new (n_rows, n_cols) parameter, Xavier-normal: std = sqrt(2 / (n_rows + n_cols))."""
    return nn.Parameter(nn.init.xavier_normal_(torch.empty(n_rows, n_cols)))
