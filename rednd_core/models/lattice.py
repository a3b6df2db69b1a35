"""LATTICE: Zhang et al., "Mining Latent Structures for Multimedia Recommendation", ACM MM 2021,
arXiv 2104.09036.

    x^l = A x^(l-1),   A = D^-1/2 [[0,R],[R^T,0]] D^-1/2,   z = mean over l = 0..L of x^l
    S(f)_ij = c_ij / sqrt(c_i c_j),   c_i = sum_j c_ij,
              c_ij = max(0, cos(f_i, f_j)) for the k nearest items j of i, itself among them, else 0
    S = sum over m of a_m (raw_share * S(f^m) + (1 - raw_share) * S(W_m f^m + b_m)),   a = softmax
    user = z_u,   item = z_i + rownorm(S^n x^0)_i,   score(u, i) = user . item
    loss = BPR + reg_weight * 1/(2B) sum |x^0|^2 over the batch's rows

W, b and a are trained. Which items are the k nearest by W f + b is searched at the beginning of every epoch;
the cosines with these follow every step.

Deviations from the released code, the first three towards the paper: 1. A is LightGCN's (released: A + I,
divided by row sums); 2. every modality is normalised, then they are fused (released: learned graphs are fused
first); 3. negative cosines are 0; 4. features are fixed; 5. W, b and a have a gradient in every step
(released: in the first one of an epoch); 6. a look uses the neighbours of the epoch (released: searches
anew); 7. the penalty is on x^0 (released: on what scores).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from rednd_core.losses.unit_rows import unit_rows
from rednd_core.modeling.base import MAX_LAYERS, xavier_normal
from rednd_core.modeling.bpr import GraphHyperparameters, GraphRecommender
from rednd_core.modeling.inputs import ModelInputs
from rednd_core.modeling.latent_graph import LatentItemGraph
from rednd_core.modeling.multimodal import MultimodalHyperparameters, chosen_modalities
from rednd_core.modeling.randomness import Epoch


class LATTICEHyperparameters(GraphHyperparameters, MultimodalHyperparameters):
    n_layers: int = Field(
        2, ge=0, le=MAX_LAYERS, title="Layers", description="Propagation steps on users-items, L"
    )
    n_mm_layers: int = Field(
        1, ge=1, le=8, title="Item-item layers", description="Propagation steps on items-items, n"
    )
    knn_k: int = Field(
        10, ge=1, le=200, title="Neighbours of an item", description="Itself included"
    )
    raw_share: float = Field(
        0.9, ge=0, lt=1, title="Raw share", description="Of the raw features' item graph in all"
    )


class LATTICE(GraphRecommender):
    name = "lattice"
    linear_propagation = True
    joins_layers = False
    settings_class = LATTICEHyperparameters

    def __init__(self, inputs: ModelInputs, settings: LATTICEHyperparameters) -> None:
        super().__init__(inputs, settings)
        d, modalities = settings.embedding_size, chosen_modalities(inputs, settings)
        self.node_emb = xavier_normal(self.n_users + self.n_items, d)
        self.item_graph = LatentItemGraph(inputs, modalities, d, settings.knn_k, settings.raw_share)

    def begin_epoch(self, epoch: Epoch) -> None:
        super().begin_epoch(epoch)
        self.item_graph.begin_epoch(epoch)
        self.step_version += 1

    def fuse(self, z: Tensor) -> Tensor:
        """z, with rownorm(S^n x^0) added to the rows of items, (N, d)."""
        _, items = self.split_nodes(self.node_emb)
        mixed = unit_rows(self.item_graph(items, self.settings.n_mm_layers))
        return z + F.pad(mixed, (0, 0, self.n_users, 0))

    def readouts(self) -> dict[str, list[Tensor]]:
        added = self.fuse(torch.zeros_like(self.node_emb))
        return {"id": [z + added for z in self.readout(self.propagate(self.node_emb))]}

    def scored(self, layers: list[Tensor]) -> tuple[Tensor, Tensor]:
        return self.split_nodes(self.fuse(self.readout.at(layers)))

    def step_tables(self) -> float:
        near: int = len(self.item_graph.modalities) * self.settings.knn_k  # rows that are kept
        return 16 + near / 4 + self.remedy_tables()
