"""What an epoch consists of: passes over batches, and the optimisers that take a step in each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from rednd_core.data.sampling import BPRBatch
from rednd_core.modeling.randomness import Epoch


@dataclass(frozen=True)
class UserBatch:
    """Distinct users, (batch,) int64."""

    users: Tensor

    def __len__(self) -> int:
        return len(self.users)


Batch = BPRBatch | UserBatch


def _nothing(epoch: Epoch) -> None:
    """A phase that prepares nothing."""


@dataclass(frozen=True)
class Update:
    """One optimiser: what it moves, and the losses that it descends.

    Attributes:
        name: of the optimiser; no two of a model are called alike. A checkpoint keeps its moments under it.
        parameters: no other parameter gets a gradient from these losses.
        losses: batch -> named scalars. Their weights are the model's ``loss_weights``.
        learning_rate: None for that of the run.
        betas, weight_decay: of Adam, with the decay decoupled as in AdamW (arXiv 1711.05101).
    """

    name: str
    parameters: Sequence[nn.Parameter]
    losses: Callable[..., dict[str, Tensor]]
    learning_rate: float | None = None
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = 0.0


@dataclass(frozen=True)
class Phase:
    """One pass over all train pairs or over all users.

    Attributes:
        name: no two of a model are called alike.
        updates: taken one after the other for every batch.
        batches: ``pairs``: :class:`BPRBatch`; ``users``: :class:`UserBatch`, every user once.
        begin: called before the first batch, and again when a stopped training goes on inside this phase.
            So what it computes may depend on the epoch and on parameters that this phase does not move;
            everything else belongs into a buffer of the model, which checkpoints keep.
    """

    name: str
    updates: Sequence[Update]
    batches: Literal["pairs", "users"] = "pairs"
    begin: Callable[[Epoch], None] = _nothing
