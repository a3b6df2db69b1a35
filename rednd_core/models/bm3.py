"""BM3: Zhou et al., "Bootstrap Latent Representations for Multi-modal Recommendation", WWW 2023,
arXiv 2207.05969. Its deviations from the released code are 1. fixed features and 2. a squared penalty.

    x^l = A x^(l-1),   A = D^-1/2 [[0,R],[R^T,0]] D^-1/2,   z = mean over l = 0..L of x^l
    h_u = z_u,   h_i = z_i + x_i^0,   h_m = W_m f^m + b_m,   score(u, i) = q(h_u) . q(h_i)
    loss = interaction + modality_weight * modality + reg_weight * (|h_u|^2 + |h_i|^2) / 2

With q(h) = W h + b, t(h) = dropout(h) without a gradient, and C = 1 - cos, means over train pairs (u, i) of

    interaction = C(q(h_u), t(h_i)) + C(q(h_i), t(h_u))
    modality    = sum over m of C(q(h_m), t(h_i)) + C(q(h_m), t(h_m))
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from rednd_core.data.sampling import BPRBatch
from rednd_core.losses.cosine import cosine_distance
from rednd_core.losses.regularization import batch_l2
from rednd_core.modeling.base import MAX_LAYERS, xavier_normal
from rednd_core.modeling.inputs import ModelInputs
from rednd_core.modeling.multimodal import MultimodalHyperparameters, chosen_modalities
from rednd_core.modeling.propagation import PropagatingRecommender
from rednd_core.modeling.randomness import dropout
from rednd_core.modeling.remedies import RemedyHyperparameters
from rednd_core.modeling.rows import gather


class BM3Hyperparameters(RemedyHyperparameters, MultimodalHyperparameters):
    n_layers: int = Field(
        1, ge=0, le=MAX_LAYERS, title="Layers", description="Propagation steps, L"
    )
    modality_weight: float = Field(
        2, ge=0, le=10, title="Modality weight", description="Weight of the losses on features"
    )
    target_dropout: float = Field(
        0.5, ge=0, lt=1, title="Target dropout", description="Share of a target's entries set to 0"
    )


class BM3(PropagatingRecommender):
    name = "bm3"
    linear_propagation = stochastic = True
    joins_layers = False
    settings_class = BM3Hyperparameters

    def __init__(self, inputs: ModelInputs, settings: BM3Hyperparameters) -> None:
        super().__init__(inputs, settings)
        d = settings.embedding_size
        self.features = [inputs.features[m] for m in chosen_modalities(inputs, settings)]
        self.node_emb = xavier_normal(self.n_users + self.n_items, d)
        self.projections = nn.ModuleList(nn.Linear(rows.shape[1], d) for rows in self.features)
        self.predictor = nn.Linear(d, d)
        self.loss_weights |= {"interaction": 1.0, "modality": settings.modality_weight}
        self.loss_weights["regularization"] = settings.reg_weight

    def layers(self) -> dict[str, list[Tensor]]:
        return {"id": self.propagate(self.node_emb)}

    def hidden(self, z: Tensor) -> Tensor:
        """h of all nodes, (N, d)."""
        return z + F.pad(self.node_emb[self.n_users :], (0, 0, self.n_users, 0))

    def readouts(self) -> dict[str, list[Tensor]]:
        return {"id": [self.predictor(self.hidden(z)) for z in self.readout(self.layers()["id"])]}

    def target(self, h: Tensor) -> Tensor:
        return dropout(h.detach(), self.settings.target_dropout, self.generator)

    def losses(self, batch: BPRBatch) -> dict[str, Tensor]:
        layers = self.propagate(self.node_emb)
        h = self.hidden(self.readout.at(layers))
        nodes = torch.cat([batch.users, batch.pos_items + self.n_users])
        (h_u, h_i), (t_u, t_i) = (gather(x, nodes).chunk(2) for x in (h, self.target(h)))
        q = self.predictor
        pairs = cosine_distance(q(h_u), t_i) + cosine_distance(q(h_i), t_u)
        content = torch.zeros_like(pairs)
        for project, rows in zip(self.projections, self.features, strict=True):
            h_m = project(rows)
            q_m, t_m = (gather(x, batch.pos_items) for x in (q(h_m), self.target(h_m)))
            content = content + cosine_distance(q_m, t_i) + cosine_distance(q_m, t_m)
        named = {"interaction": pairs, "modality": content, "regularization": batch_l2(h_u, h_i)}
        return named | self.remedy_losses(batch, layers)

    def step_tables(self) -> float:
        return 10 + self.remedy_tables()
