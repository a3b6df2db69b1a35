"""Popularity: every user gets the items with the most train interactions. The floor to beat."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from rednd_core.modeling.base import Hyperparameters, Recommender
from rednd_core.modeling.inputs import ModelInputs
from rednd_core.readout import Readout


class Popularity(Recommender):
    """score(u, i) = train interactions of i; one column, nothing to train."""

    name = "popularity"
    readout = Readout("last")

    def __init__(self, inputs: ModelInputs, settings: Hyperparameters) -> None:
        super().__init__(inputs, settings)
        counts = np.bincount(inputs.train.items, minlength=inputs.n_items)
        self.counts = torch.nn.Buffer(torch.from_numpy(counts).float()[:, None])

    def layers(self) -> dict[str, list[Tensor]]:
        ones = self.counts.new_ones(self.n_users, 1)
        return {"id": [torch.cat([ones, self.counts])]}

    @property
    def divisible(self) -> bool:
        return True  # there is no loss to divide
