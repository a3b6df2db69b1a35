"""LightGCN: He et al., "LightGCN: Simplifying and Powering Graph Convolution Network for
Recommendation", SIGIR 2020, arXiv 2002.02126.

    x^l = D^-1/2 A D^-1/2 x^(l-1),   z = mean over l = 0..L of x^l,   score(u, i) = z_u . z_i
    loss = BPR + reg_weight * 1/(2B) sum |x^0|^2 over the batch's rows

No self-loops, no weights, no non-linearity. Embeddings start Xavier-normal over the whole (N, d) table.
"""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor

from rednd_core.data.sampling import BPRBatch
from rednd_core.losses.bpr import bpr_loss
from rednd_core.models.base import (
    MAX_LAYERS,
    WHOLE,
    EmbeddingHyperparameters,
    ModelInputs,
    Recommender,
    Share,
    xavier_normal,
)
from rednd_core.models.memory import Footprint, Sizes
from rednd_core.models.rows import gather, readable


class LightGCNHyperparameters(EmbeddingHyperparameters):
    n_layers: int = Field(
        2, ge=0, le=MAX_LAYERS, title="Layers", description="Propagation steps, L"
    )


class LightGCN(Recommender):
    name = "lightgcn"
    linear_propagation = True
    settings_class = LightGCNHyperparameters

    def __init__(self, inputs: ModelInputs, settings: LightGCNHyperparameters) -> None:
        super().__init__(inputs)
        self.n_layers = settings.n_layers
        self.propagate = inputs.user_item
        self.node_emb = xavier_normal(self.n_users + self.n_items, settings.embedding_size)
        self.loss_weights = {"bpr": 1.0, "regularization": settings.reg_weight}

    @classmethod
    def footprint(cls, settings: LightGCNHyperparameters, sizes: Sizes) -> Footprint:
        table = sizes.n_nodes * settings.embedding_size
        return Footprint(parameters=table, table=table, step_tables=5, layers=settings.n_layers + 1)

    def layers(self) -> dict[str, list[Tensor]]:
        states: list[Tensor] = [self.node_emb]
        for _ in range(self.n_layers):
            states.append(self.propagate(states[-1]))
        return {"id": states}

    def embeddings(self) -> tuple[Tensor, Tensor]:
        total = self.node_emb + self.propagate.power_sum(self.node_emb, self.n_layers)
        return self.split_nodes(total / (self.n_layers + 1))

    def losses(self, batch: BPRBatch, share: Share = WHOLE) -> dict[str, Tensor]:
        own = share.of_batch(batch)
        rows = torch.cat([own.users, own.pos_items + self.n_users, own.neg_items + self.n_users])
        nodes, of_row, _ = readable(rows)
        ego, above = self.propagate.power_sum_rows(self.node_emb, self.n_layers, nodes)
        final = gather((ego + above) / (self.n_layers + 1), of_row)  # (3 * batch, d)
        users, positives, negatives = final.chunk(3)
        squares = gather(ego.square().sum(1, keepdim=True), of_row)  # (3 * batch, 1)
        return {
            "bpr": bpr_loss(
                (users * positives).sum(1), (users * negatives).sum(1), n_rows=len(batch)
            ),
            "regularization": squares.sum() / (2 * len(batch)),
        }
