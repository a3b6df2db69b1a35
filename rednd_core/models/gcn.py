"""Plain GCN: Kipf and Welling, "Semi-Supervised Classification with Graph Convolutional Networks",
ICLR 2017, arXiv 1609.02907, on the user-item graph with id embeddings.

    x^l = ReLU(D^-1/2 A D^-1/2 x^(l-1) W_l + b_l) for l < L,  the last layer without ReLU,  z = x^L
    loss = BPR + reg_weight * 1/(2B) sum |x^0|^2 over the batch's rows

Weights, non-linearity and a readout of the last layer only: of the models here the one that smooths
worst with depth. Deviations: no self-loops, so that all models share one graph.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rednd_core.data.sampling import BPRBatch
from rednd_core.losses.bpr import bpr_loss
from rednd_core.losses.regularization import batch_l2
from rednd_core.models.base import WHOLE, ModelInputs, Recommender, Share, xavier_normal
from rednd_core.models.lightgcn import LightGCNHyperparameters
from rednd_core.models.memory import Footprint, Sizes
from rednd_core.models.rows import gather


class GCN(Recommender):
    name = "gcn"
    readout = "last"
    settings_class = LightGCNHyperparameters

    def __init__(self, inputs: ModelInputs, settings: LightGCNHyperparameters) -> None:
        super().__init__(inputs)
        size = settings.embedding_size
        self.propagate = inputs.user_item
        self.node_emb = xavier_normal(self.n_users + self.n_items, size)
        self.transforms = nn.ModuleList(nn.Linear(size, size) for _ in range(settings.n_layers))
        self.loss_weights = {"bpr": 1.0, "regularization": settings.reg_weight}

    @classmethod
    def footprint(cls, settings: LightGCNHyperparameters, sizes: Sizes) -> Footprint:
        size, depth = settings.embedding_size, settings.n_layers
        table = sizes.n_nodes * size
        return Footprint(
            parameters=table + depth * (size * size + size),
            table=table,
            step_tables=3 + 3 * depth,  # autograd keeps what it needs of every layer
            layers=depth + 1,
        )

    def layers(self) -> dict[str, list[Tensor]]:
        states: list[Tensor] = [self.node_emb]
        for depth, transform in enumerate(self.transforms, start=1):
            state = transform(self.propagate(states[-1]))
            states.append(F.relu(state) if depth < len(self.transforms) else state)
        return {"id": states}

    def embeddings(self) -> tuple[Tensor, Tensor]:
        return self.split_nodes(self.layers()["id"][-1])

    def losses(self, batch: BPRBatch, share: Share = WHOLE) -> dict[str, Tensor]:
        own = share.of_batch(batch)
        nodes = torch.cat([own.users, own.pos_items + self.n_users, own.neg_items + self.n_users])
        users, positives, negatives = gather(self.layers()["id"][-1], nodes).chunk(3)
        return {
            "bpr": bpr_loss(
                (users * positives).sum(1), (users * negatives).sum(1), n_rows=len(batch)
            ),
            "regularization": batch_l2(*gather(self.node_emb, nodes).chunk(3), n_rows=len(batch)),
        }
