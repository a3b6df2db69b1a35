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
from rednd_core.modeling.bpr import BPRRecommender
from rednd_core.modeling.inputs import ModelInputs
from rednd_core.models.lightgcn import LightGCNHyperparameters
from rednd_core.readout import Readout


class GCN(BPRRecommender):
    name = "gcn"
    readout = Readout("last")
    settings_class = LightGCNHyperparameters

    def __init__(self, inputs: ModelInputs, settings: LightGCNHyperparameters) -> None:
        super().__init__(inputs, settings)
        size = settings.embedding_size
        self.graph = inputs.user_item
        self.node_emb = xavier_normal(self.n_users + self.n_items, size)
        self.transforms = nn.ModuleList(nn.Linear(size, size) for _ in range(settings.n_layers))

    def propagate(self, ego: Tensor) -> list[Tensor]:
        layers = [ego]
        for depth, transform in enumerate(self.transforms, start=1):
            state = transform(self.graph(layers[-1]))
            layers.append(F.relu(state) if depth < len(self.transforms) else state)
        return layers

    def step_tables(self) -> float:
        return 3 + 3 * len(self.transforms)  # Autograd keeps tables of every layer.
