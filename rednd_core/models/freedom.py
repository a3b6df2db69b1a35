"""FREEDOM: Zhou and Shen, "A Tale of Two Graphs: Freezing and Denoising Graph Structures for Multimodal
Recommendation", ACM MM 2023, arXiv 2211.06924.

    A = D^-1/2 [[0,R],[R^T,0]] D^-1/2,   S = sum over m of alpha_m * kNN graph of the raw features, frozen
    x^l = A x^(l-1),   z = mean over l = 0..L of x^l
    user = z_u,   item = z_i + (S^n x^0)_i,   score(u, i) = user . item
    loss = BPR(user, item) + features_weight * sum over m of BPR(user, W_m f_i^m + b_m)

Every epoch trains on a user-item graph without a share of the edges, normalised by the degrees that are left.
An edge stays with a chance in proportion to 1 / sqrt(d_u d_i). Evaluation uses the whole graph.

Deviations from the released code: 1. features are fixed (released: they are trained); 2. the number of edges
left out is rounded to the nearest (released: that of kept edges is truncated); 3. without an image and a text
modality the item graphs are fused equally; 4. an L2 penalty, which the paper does not have, has the weight 0.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from rednd_core.data.sampling import BPRBatch
from rednd_core.losses.bpr import bpr_loss
from rednd_core.modeling import multimodal
from rednd_core.modeling.base import MAX_LAYERS, xavier_normal
from rednd_core.modeling.bpr import GraphHyperparameters, GraphRecommender
from rednd_core.modeling.inputs import ModelInputs
from rednd_core.modeling.rows import batch_rows


class FREEDOMHyperparameters(GraphHyperparameters, multimodal.ItemGraphHyperparameters):
    reg_weight: float = Field(
        0, ge=0, le=10, title="L2 penalty", description="Weight of the L2 penalty"
    )
    n_layers: int = Field(
        2, ge=0, le=MAX_LAYERS, title="Layers", description="Propagation steps on users-items, L"
    )
    edge_dropout: float = Field(
        0.8, ge=0, lt=1, title="Edge dropout", description="Share of the edges an epoch leaves out"
    )
    features_weight: float = Field(
        1e-3,
        ge=0,
        le=10,
        title="Features weight",
        description="Weight of the BPR on projected features",
    )


class FREEDOM(GraphRecommender):
    name = "freedom"
    linear_propagation = True
    joins_layers = False
    drops_by_degree = True
    settings_class = FREEDOMHyperparameters

    def __init__(self, inputs: ModelInputs, settings: FREEDOMHyperparameters) -> None:
        super().__init__(inputs, settings)
        modalities = multimodal.chosen_modalities(inputs, settings)
        self.item_graph_power = multimodal.item_graph_power(inputs, modalities, settings)
        self.features = [inputs.features[m] for m in modalities]
        d = settings.embedding_size
        self.node_emb = xavier_normal(self.n_users + self.n_items, d)
        self.projections = nn.ModuleList(nn.Linear(rows.shape[1], d) for rows in self.features)
        self.loss_weights["features"] = settings.features_weight

    def fuse(self, z: Tensor) -> Tensor:
        """z, with S^n x^0 added to the rows of items, (N, d)."""
        _, items = self.split_nodes(self.node_emb)
        return z + F.pad(self.item_graph_power(items), (0, 0, self.n_users, 0))

    def readouts(self) -> dict[str, list[Tensor]]:
        return {"id": [self.fuse(z) for z in self.readout(self.propagate(self.node_emb))]}

    def scored(self, layers: list[Tensor]) -> tuple[Tensor, Tensor]:
        return self.split_nodes(self.fuse(self.readout.at(layers)))

    def extra_losses(
        self, batch: BPRBatch, user_emb: Tensor, item_emb: Tensor
    ) -> dict[str, Tensor]:
        losses = []
        for projection, rows in zip(self.projections, self.features, strict=True):
            users, positives, negatives = batch_rows(batch, user_emb, projection(rows))
            losses.append(bpr_loss((users * positives).sum(1), (users * negatives).sum(1)))
        return {"features": torch.stack(losses).sum()}

    @property
    def divisible(self) -> bool:
        return self.alignment_divides  # all other losses are means over rows

    def step_tables(self) -> float:
        return 8 + self.remedy_tables()
