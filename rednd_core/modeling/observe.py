"""The one way to look at a model: it leaves no trace in the model or in any generator."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from rednd_core.modeling.base import Recommender


@contextmanager
def observed(model: Recommender) -> Iterator[None]:
    """Evaluation mode without gradients; afterwards modes and generators are as they were before."""
    training = [module for module in model.modules() if module.training]
    own = model.generator.get_state()
    gpus = [model.generator.device] if model.generator.device.type == "cuda" else []
    with torch.random.fork_rng(devices=gpus), torch.no_grad():
        model.eval()
        try:
            yield
        finally:
            for module in training:
                module.training = True
            model.generator.set_state(own)


def current_layers(model: Recommender) -> dict[str, list[Tensor]]:
    """The model's layers by a fresh forward pass, on its device, without gradients."""
    with observed(model):
        return {m: [x.detach() for x in states] for m, states in model.layers().items()}


def current_readouts(model: Recommender) -> dict[str, list[Tensor]]:
    """What would score at each depth, by a fresh forward pass, on its device."""
    with observed(model):
        return {m: [z.detach() for z in states] for m, states in model.readouts().items()}


def current_embeddings(model: Recommender) -> tuple[Tensor, Tensor]:
    """What scores, by a fresh forward pass: users (n_users, D) and items (n_items, D), on its device."""
    with observed(model):
        users, items = model.embeddings()
        return users.detach(), items.detach()
