"""RedNⁿD: Chen, Xu, Hu, "Don't Lose Yourself: Boosting Multimodal Recommendation via Reducing
Node-neighbor Discrepancy in Graph Convolutional Network", ICASSP 2025, arXiv 2412.18962.

For each modality m, with item features F_m, free user preferences P_m and A = D^-1/2 [[0,R],[R^T,0]] D^-1/2:

    x_m^0 = rownorm([P_m ; MLP_m(F_m)])          MLP: Linear(dim_m, 4d), LeakyReLU, Linear(4d, d)
    x_m^l = A x_m^(l-1), l = 1..L                heterogeneous graph
    z_m   = sum over l = 0..L of x_m^l
    user  = concat over m of w_m[u] * z_m[u],    item = c + S^n c,  c = concat over m of z_m[i]
    S     = sum over m of alpha_m * kNN graph of the raw features     homogeneous graph, frozen
    loss  = BPR / ln 2 + reg_weight * (sum_m mean(P_m[users of the batch]^2) + mean(w^2))
            + alignment_weight * sum_m InfoNCE(x_m^0, mean over l = 1..L of x_m^l)

Ablations are settings: ``alignment_weight=0``, ``n_mm_layers=0`` (no item-item graph), ``n_layers=0`` (no
user-item propagation; then there is nothing to align with).

Deviations from the paper and from the released code; ``docs/models/rednnd.md`` gives the reasons:
1. the alignment compares the nodes of a batch by default (``alignment_scope``); ``full`` is the paper's;
2. no N x N matrix is held; 3. evaluation uses a fresh forward pass; 4. negatives come from all items that the
user has no train pair with (released: from items with a train pair only); 5. without an image and a text
modality the item graphs are fused equally (released: .1 for the first file, .9 for the second);
6. patience 20 (released: 21); 7. row sums of the item graph are exact (released: + 1e-7); 8. validation
figures are not rounded (released: to four digits, of the last batch's embeddings).
"""

from __future__ import annotations

import math

import torch
from pydantic import Field
from torch import Tensor, nn

from rednd_core.data.sampling import BPRBatch
from rednd_core.losses.bpr import bpr_loss
from rednd_core.losses.unit_rows import unit_rows
from rednd_core.modeling import multimodal
from rednd_core.modeling.alignment import AlignmentHyperparameters
from rednd_core.modeling.base import MAX_LAYERS, xavier_normal
from rednd_core.modeling.inputs import ModelInputs
from rednd_core.modeling.propagation import PropagatingRecommender
from rednd_core.modeling.remedies import LayerRemedies
from rednd_core.modeling.rows import batch_rows, gather
from rednd_core.readout import Readout


class RedNnDHyperparameters(
    LayerRemedies, multimodal.ItemGraphHyperparameters, AlignmentHyperparameters
):
    reg_weight: float = Field(
        1e-3, ge=0, le=10, title="L2 penalty", description="Weight of the L2 penalty"
    )
    n_layers: int = Field(
        3, ge=0, le=MAX_LAYERS, title="Layers", description="Propagation steps on users-items, L"
    )


class RedNnD(PropagatingRecommender):
    name = "rednnd"
    readout = Readout("sum")
    linear_propagation = True
    alignment_loss = "alignment"
    to_divide = "set alignment_scope=full or alignment_weight=0, or train it in one process"
    settings_class = RedNnDHyperparameters

    def __init__(self, inputs: ModelInputs, settings: RedNnDHyperparameters) -> None:
        super().__init__(inputs, settings)
        self.modalities = multimodal.chosen_modalities(inputs, settings)
        self.item_graph_power = multimodal.item_graph_power(
            inputs, self.modalities, settings
        )  # S^n
        self.features = {m: inputs.features[m] for m in self.modalities}
        d, n_modalities = settings.embedding_size, len(self.modalities)
        self.projections = nn.ModuleList(
            multimodal.feature_mlp(rows.shape[1], d) for rows in self.features.values()
        )
        self.preferences = nn.Parameter(  # P, (n_users, M, d)
            torch.stack([xavier_normal(self.n_users, d) for _ in self.modalities], dim=1)
        )
        self.modality_weights = nn.Parameter(  # w, (n_users, M, 1)
            xavier_normal(self.n_users, n_modalities).softmax(dim=1)[:, :, None].detach()
        )
        self.loss_weights |= {"bpr": 1.0, "regularization": settings.reg_weight}

    def ego(self) -> Tensor:
        """x^0 = rownorm([P ; MLP(F)]), (N, M, d)."""
        items = [
            mlp(rows) for mlp, rows in zip(self.projections, self.features.values(), strict=True)
        ]
        return unit_rows(torch.cat([self.preferences, torch.stack(items, dim=1)]))

    def product(self, x: Tensor) -> Tensor:
        """A x, (N, M, d): one wide product serves all modalities."""
        return self.graph(x.flatten(1)).view_as(x)

    def summed(self, x0: Tensor) -> tuple[Tensor, list[Tensor]]:
        """z, (N, M, d), and the layers. Where nothing else needs them, [x^0, x^1 + .. + x^L]."""
        if self.settings.leave_layers_alone and not self.loss_weights.get("decorrelation"):
            above = self.graph.power_sum(x0.flatten(1), self.n_layers).view_as(x0)
            return x0 + above, [x0, above]
        layers = self.propagate(x0, self.product)
        return self.readout.at(layers), layers

    def with_item_graph(self, items: Tensor) -> Tensor:
        """c + S^n c of the items' readout c, (n_items, M, d)."""
        return items + self.item_graph_power(items.flatten(1)).view_as(items)

    def losses(self, batch: BPRBatch) -> dict[str, Tensor]:
        x0 = self.ego()  # (N, M, d)
        z, layers = self.summed(x0)
        z_users, z_items = self.split_nodes(z)
        item_emb = self.with_item_graph(z_items)
        rows, positives, negatives = batch_rows(batch, z_users.flatten(1), item_emb.flatten(1))
        w = gather(self.modality_weights.flatten(1), batch.users)[:, :, None]
        users = (w * rows.unflatten(1, (len(self.modalities), -1))).flatten(1)
        preferences = gather(self.preferences.flatten(1), batch.users)
        named = {
            "bpr": bpr_loss((users * positives).sum(1), (users * negatives).sum(1)) / math.log(2),
            "regularization": len(self.modalities) * preferences.square().mean()
            + self.modality_weights.square().mean(),
        }
        return named | self.remedy_losses(batch, layers)

    def layers(self) -> dict[str, list[Tensor]]:
        blocks = self.propagate(self.ego(), self.product)
        return {m: [x[:, i] for x in blocks] for i, m in enumerate(self.modalities)}

    def fuse(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Readouts z (N, M, d) -> what scores: users (n_users, M, d), items (n_items, M, d)."""
        users, items = self.split_nodes(z)
        return self.modality_weights * users, self.with_item_graph(items)

    def readouts(self) -> dict[str, list[Tensor]]:
        sums = {m: self.readout(states) for m, states in self.layers().items()}
        depths = [torch.stack(z, dim=1) for z in zip(*sums.values(), strict=True)]  # (N, M, d) each
        fused = [torch.cat(self.fuse(z)) for z in depths]
        return {m: [z[:, i] for z in fused] for i, m in enumerate(self.modalities)}

    def embeddings(self) -> tuple[Tensor, Tensor]:
        users, items = self.fuse(self.summed(self.ego())[0])
        return users.flatten(1), items.flatten(1)

    def step_tables(self) -> float:
        compared = {"batch": 0, "anchors": 5, "full": 9}[self.settings.alignment_scope]
        kept = 0 if self.settings.leave_layers_alone else self.remedy_tables()
        return 11 + kept + (compared if self.settings.alignment_weight else 0)
