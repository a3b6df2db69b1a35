"""MF-BPR: matrix factorisation trained by Bayesian personalised ranking (arXiv 1205.2618).

    score(u, i) = p_u . q_i,   loss = BPR + reg_weight * 1/(2B) sum |e|^2

Deviation: no item bias, so that every model of this project scores by a plain inner product.
"""

from __future__ import annotations

import torch
from torch import Tensor

from rednd_core.data.sampling import BPRBatch
from rednd_core.losses.bpr import bpr_loss
from rednd_core.losses.regularization import batch_l2
from rednd_core.models.base import (
    WHOLE,
    EmbeddingHyperparameters,
    ModelInputs,
    Recommender,
    Share,
    xavier_normal,
)
from rednd_core.models.memory import Footprint, Sizes
from rednd_core.models.rows import gather


class MatrixFactorization(Recommender):
    name = "mf"
    readout = "last"
    settings_class = EmbeddingHyperparameters

    def __init__(self, inputs: ModelInputs, settings: EmbeddingHyperparameters) -> None:
        super().__init__(inputs)
        self.user_emb = xavier_normal(self.n_users, settings.embedding_size)
        self.item_emb = xavier_normal(self.n_items, settings.embedding_size)
        self.loss_weights = {"bpr": 1.0, "regularization": settings.reg_weight}

    @classmethod
    def footprint(cls, settings: EmbeddingHyperparameters, sizes: Sizes) -> Footprint:
        table = sizes.n_nodes * settings.embedding_size
        return Footprint(parameters=table, table=table, step_tables=2)

    def layers(self) -> dict[str, list[Tensor]]:
        return {"id": [torch.cat([self.user_emb, self.item_emb])]}

    def embeddings(self) -> tuple[Tensor, Tensor]:
        return self.user_emb, self.item_emb

    def losses(self, batch: BPRBatch, share: Share = WHOLE) -> dict[str, Tensor]:
        own = share.of_batch(batch)
        users = gather(self.user_emb, own.users)
        positives, negatives = (
            gather(self.item_emb, own.pos_items),
            gather(self.item_emb, own.neg_items),
        )
        return {
            "bpr": bpr_loss(
                (users * positives).sum(1), (users * negatives).sum(1), n_rows=len(batch)
            ),
            "regularization": batch_l2(users, positives, negatives, n_rows=len(batch)),
        }
