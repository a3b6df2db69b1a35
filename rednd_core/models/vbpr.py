"""VBPR: He and McAuley, "VBPR: Visual Bayesian Personalized Ranking from Implicit Feedback", AAAI 2016,
arXiv 1510.01784.

    score(u, i) = b_i + w . f_i + g_u . g_i + t_u . (E f_i),   f_i: the item's features of all modalities
    loss = BPR + reg_weight * 1/(2B) sum (|g|^2 + |t|^2 + b^2) over the batch's rows

The score is one inner product: [g_u, t_u, 1] . [g_i, E f_i, b_i + w . f_i]. E and w have no penalty.

Deviations from the paper: 1. all modalities side by side (paper: the image); 2. Adam on batches of train
pairs (paper: one triple at a time, of users drawn uniformly); 3. no global offset and no bias of users, which
change no ranking. MMRec's variant has neither b nor w, and an unsquared penalty that includes E f_i.
"""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor, nn

from rednd_core.data.sampling import BPRBatch
from rednd_core.modeling.base import xavier_normal
from rednd_core.modeling.bpr import BPRRecommender
from rednd_core.modeling.inputs import ModelInputs
from rednd_core.modeling.multimodal import MultimodalHyperparameters, chosen_modalities
from rednd_core.modeling.rows import batch_rows
from rednd_core.readout import Readout


class VBPRHyperparameters(MultimodalHyperparameters):
    reg_weight: float = Field(
        1e-2, ge=0, le=10, title="L2 penalty", description="Weight of the L2 penalty"
    )


class VBPR(BPRRecommender):
    name = "vbpr"
    readout = Readout("last")
    settings_class = VBPRHyperparameters

    def __init__(self, inputs: ModelInputs, settings: VBPRHyperparameters) -> None:
        super().__init__(inputs, settings)
        d, modalities = settings.embedding_size, chosen_modalities(inputs, settings)
        self.features = torch.cat(
            [inputs.features[m] for m in modalities], dim=1
        )  # f, (n_items, D)
        self.user_emb = xavier_normal(self.n_users, 2 * d)  # [g_u, t_u]
        self.item_emb = xavier_normal(self.n_items, d)  # g_i
        self.projection = xavier_normal(d, self.features.shape[1])  # E
        self.item_bias = nn.Parameter(torch.zeros(self.n_items))  # b
        self.feature_bias = nn.Parameter(torch.zeros(self.features.shape[1]))  # w

    def ego(self) -> Tensor:
        items = torch.cat([self.item_emb, self.features @ self.projection.T], dim=1)
        return torch.cat([self.user_emb, items])

    def layers(self) -> dict[str, list[Tensor]]:
        latent, content = self.ego().chunk(2, dim=1)
        return {"id": [latent], "content": [content]}

    def readouts(self) -> dict[str, list[Tensor]]:
        """The layers, and the bias as one more column of ``content``: 1 for a user."""
        latent, content = self.ego().chunk(2, dim=1)
        bias = self.item_bias + self.features @ self.feature_bias
        column = torch.cat([bias.new_ones(self.n_users), bias])[:, None]
        return {"id": [latent], "content": [torch.cat([content, column], dim=1)]}

    def penalised(self, batch: BPRBatch) -> tuple[Tensor, ...]:
        items = torch.cat([self.item_emb, self.item_bias[:, None]], dim=1)
        return batch_rows(batch, self.user_emb, items)

    def step_tables(self) -> float:
        return 4
