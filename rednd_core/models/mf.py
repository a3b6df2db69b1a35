"""MF-BPR: matrix factorisation trained by Bayesian personalised ranking (arXiv 1205.2618).

    score(u, i) = p_u . q_i,   loss = BPR + reg_weight * 1/(2B) sum |e|^2

Deviation: no item bias.
"""

from __future__ import annotations

import torch
from torch import Tensor

from rednd_core.data.sampling import BPRBatch
from rednd_core.losses.bpr import bpr_loss
from rednd_core.losses.regularization import batch_l2
from rednd_core.modeling.base import EmbeddingHyperparameters, xavier_normal
from rednd_core.modeling.bpr import BPRRecommender
from rednd_core.modeling.inputs import ModelInputs
from rednd_core.modeling.rows import batch_rows
from rednd_core.readout import Readout


class MatrixFactorization(BPRRecommender):
    name = "mf"
    readout = Readout("last")

    def __init__(self, inputs: ModelInputs, settings: EmbeddingHyperparameters) -> None:
        super().__init__(inputs, settings)
        self.user_emb = xavier_normal(self.n_users, settings.embedding_size)
        self.item_emb = xavier_normal(self.n_items, settings.embedding_size)

    def ego(self) -> Tensor:
        return torch.cat([self.user_emb, self.item_emb])

    def embeddings(self) -> tuple[Tensor, Tensor]:
        return self.user_emb, self.item_emb

    def losses(self, batch: BPRBatch) -> dict[str, Tensor]:
        users, positives, negatives = batch_rows(batch, self.user_emb, self.item_emb)
        return {
            "bpr": bpr_loss((users * positives).sum(1), (users * negatives).sum(1)),
            "regularization": batch_l2(users, positives, negatives),
        }
