"""Popularity: every user gets the items with the most train interactions. The floor to beat."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from rednd_core.models.base import Hyperparameters, ModelInputs, Recommender


class Popularity(Recommender):
    """score(u, i) = train interactions of i; one column, nothing to train."""

    name = "popularity"
    readout = "last"

    def __init__(self, inputs: ModelInputs, settings: Hyperparameters) -> None:
        super().__init__(inputs)
        counts = np.bincount(inputs.train.items, minlength=inputs.n_items)
        self.counts = torch.nn.Buffer(torch.from_numpy(counts).float()[:, None])

    def layers(self) -> dict[str, list[Tensor]]:
        users, items = self.embeddings()
        return {"id": [torch.cat([users, items])]}

    def embeddings(self) -> tuple[Tensor, Tensor]:
        return self.counts.new_ones(self.n_users, 1), self.counts
