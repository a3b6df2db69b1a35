"""What every model is: a module made of sizes, features and propagators, with a few questions to answer.

A model opens no file and knows no path. Scores are inner products, so that evaluation, the per-user
lists and the app need two arrays and nothing else.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

import torch
from pydantic import Field, TypeAdapter, ValidationError
from torch import Tensor, nn

from rednd_core.config import StrictModel
from rednd_core.errors import ConfigError, unknown_name
from rednd_core.modeling.inputs import ModelInputs
from rednd_core.modeling.phases import Phase, Update
from rednd_core.modeling.randomness import Epoch
from rednd_core.modeling.registry import weight_setting
from rednd_core.readout import Readout

MAX_LAYERS = 32


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
        name: key of the model's card.
        readout: the rule by which the layers become what scores.
        linear_propagation: whether x^l = A x^(l-1) holds, A the normalised user-item graph, so that a
            deeper layer can be computed from x^0 alone.
        stochastic: whether a training step draws random numbers, from :attr:`generator`.
        to_divide: what makes the losses of a batch divisible, as the remedy of a sentence.
        loss_weights: name of a loss -> weight.
        generator: what a training step draws from, on the model's device. It is seeded anew before
            every step; nothing else may be drawn from in a step.
        step_version: raised by a model whenever a recorded step would be stale, e.g. because a graph was
            redrawn or a temperature has changed.
    """

    name: ClassVar[str]
    readout: Readout = Readout("mean")
    linear_propagation: bool = False
    stochastic: ClassVar[bool] = False
    settings_class: ClassVar[type[Hyperparameters]] = Hyperparameters
    to_divide: ClassVar[str] = "train it in one process"

    loss_weights: dict[str, float]
    step_version: int = 0

    def __init__(self, inputs: ModelInputs, settings: Any) -> None:
        super().__init__()
        self.n_users, self.n_items = inputs.n_users, inputs.n_items
        self.loss_weights = {}
        self.generator = torch.Generator(inputs.generator_device).manual_seed(0)

    @abstractmethod
    def layers(self) -> dict[str, list[Tensor]]:
        """Modality -> [x^0 .. x^L], each (N, d); ``"id"`` where embeddings belong to ids.

        Widths d and depths L may differ from one modality to the next, widths also between layers.
        """

    def readouts(self) -> dict[str, list[Tensor]]:
        """Modality -> [z^0 .. z^L], each (N, D): what would score if propagation stopped there."""
        return {m: self.readout(states) for m, states in self.layers().items()}

    @property
    def reads_out_by_rule(self) -> bool:
        """Whether :attr:`readout` alone tells :meth:`readouts`; else a run has to record them."""
        return type(self).readouts is Recommender.readouts

    def embeddings(self) -> tuple[Tensor, Tensor]:
        """Users (n_users, D) and items (n_items, D) by a fresh forward pass: score = inner product."""
        deepest = [states[-1] for states in self.readouts().values()]
        return self.split_nodes(torch.cat(deepest, dim=1))

    def losses(self, batch: Any) -> dict[str, Tensor]:
        """Named scalars whose weighted sum is minimised; empty for a model that is not trained.

        A costly loss whose weight is 0 may be left out.
        """
        return {}

    def phases(self) -> Sequence[Phase]:
        """What an epoch consists of; one pass over the pairs with one optimiser by default."""
        return [Phase("joint", [Update("joint", list(self.parameters()), self.losses)])]

    def begin_epoch(self, epoch: Epoch) -> None:
        """Redraw what is drawn once an epoch; it must follow from ``epoch`` alone.

        Called before the first batch, and again when a stopped training goes on inside the epoch.
        """

    @property
    def divisible(self) -> bool:
        """Whether the losses of parts of a batch, each times its share of the rows, add up to the whole.

        Only then can several processes train the model together. May depend on settings and weights.
        """
        return False

    @property
    def trainable(self) -> bool:
        return any(parameter.requires_grad for parameter in self.parameters())

    def step_tables(self) -> float:
        """Tables of all nodes (N, D) alive at the peak of a training step, measured as memory growth."""
        return 2

    def set_loss_weight(self, name: str, value: float) -> None:
        """Change a weight from the next batch on.

        Raises:
            ConfigError: the model has no such loss, its weight is no setting, or the value is outside of
                the setting's bounds.
        """
        if name not in self.loss_weights:
            raise unknown_name(f"loss of {self.name}", name, self.loss_weights)
        fields = self.settings_class.model_fields
        setting = weight_setting(name)
        if setting not in fields:
            movable = [loss for loss in self.loss_weights if weight_setting(loss) in fields]
            raise ConfigError(
                expected=f"a loss of {self.name} whose weight is a setting: {', '.join(movable)}",
                found=name,
                remedy="move one of those",
            )
        bounded: Any = Annotated[float, *fields[setting].metadata]
        try:
            self.loss_weights[name] = TypeAdapter(bounded).validate_python(value)
        except ValidationError as error:
            message = error.errors()[0]["msg"]
            raise ConfigError(
                expected=f"a valid {setting} ({message[:1].lower()}{message[1:]})",
                found=f"{value:g}",
                remedy="choose a weight in that range",
            ) from None

    def split_nodes(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """(N, ...) -> users (n_users, ...), items (n_items, ...)."""
        users, items = rows.split(
            (self.n_users, self.n_items)
        )  # its gradient is one table, not two
        return users, items


def xavier_normal(n_rows: int, n_cols: int) -> nn.Parameter:
    """A new (n_rows, n_cols) parameter, Xavier-normal: std = sqrt(2 / (n_rows + n_cols))."""
    return nn.Parameter(nn.init.xavier_normal_(torch.empty(n_rows, n_cols)))
