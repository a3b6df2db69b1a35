"""Plain GCN: Kipf and Welling, "Semi-Supervised Classification with Graph Convolutional Networks",
ICLR 2017, arXiv 1609.02907, on the user-item graph with id embeddings.

    x^l = ReLU(D^-1/2 A D^-1/2 x^(l-1) W_l + b_l) for l < L,  the last layer without ReLU,  z = x^L
    loss = BPR + reg_weight * 1/(2B) sum |x^0|^2 over the batch's rows

Weights, non-linearity and a readout of the last layer only: of the models here the one that smooths
worst with depth. Deviations: no self-loops, so that all models share one graph.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from rednd_core.modeling.base import xavier_normal
from rednd_core.modeling.bpr import GraphRecommender
from rednd_core.modeling.inputs import ModelInputs
from rednd_core.modeling.remedies import WeightRemedies, near_identity
from rednd_core.models.lightgcn import LightGCNHyperparameters
from rednd_core.readout import Readout


class GCNHyperparameters(WeightRemedies, LightGCNHyperparameters):
    """Those of LightGCN, and a remedy of weights."""


class GCN(GraphRecommender):
    name = "gcn"
    readout = Readout("last")
    settings_class = GCNHyperparameters

    def __init__(self, inputs: ModelInputs, settings: GCNHyperparameters) -> None:
        super().__init__(inputs, settings)
        size = settings.embedding_size
        self.node_emb = xavier_normal(self.n_users + self.n_items, size)
        self.transforms = nn.ModuleList(nn.Linear(size, size) for _ in range(settings.n_layers))

    def step(self, y: Tensor, layers: list[Tensor]) -> Tensor:
        depth = len(layers)
        state = near_identity(
            self.transforms[depth - 1](y), y, self.settings.identity_mapping, depth
        )
        return F.relu(state) if depth < self.n_layers else state

    def step_tables(self) -> float:
        return (
            3 + 3 * len(self.transforms) + self.remedy_tables()
        )  # Autograd keeps tables of every layer.
