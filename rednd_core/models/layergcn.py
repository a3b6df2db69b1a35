"""LayerGCN: Zhou et al., "Layer-refined Graph Convolutional Networks for Recommendation", ICDE 2023,
arXiv 2207.11088.

    A = D^-1/2 [[0,R],[R^T,0]] D^-1/2
    y = A x^(l-1),   w = cos(y, x^0) of every node,   x^l = w * y
    z = sum over l = 1..L of x^l,   score(u, i) = z_u . z_i
    loss = BPR + reg_weight * 1/(2B) sum |x^0|^2 over the batch's rows

Every epoch trains on a graph without a share of the edges, normalised by the degrees that are left. An edge
stays with a chance in proportion to 1 / sqrt(d_u d_i). Evaluation uses the whole graph.

Deviations from the released code: 1. all epochs draw by degree (released: every other epoch, else uniformly);
2. losses are means over a batch (released: sums, of BPR and penalty alike); 3. evaluation uses a fresh
forward pass; 4. the number of edges left out is rounded to the nearest.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from rednd_core.modeling.base import MAX_LAYERS, xavier_normal
from rednd_core.modeling.bpr import GraphHyperparameters, GraphRecommender
from rednd_core.modeling.inputs import ModelInputs
from rednd_core.readout import Readout


class LayerGCNHyperparameters(GraphHyperparameters):
    reg_weight: float = Field(
        1e-3, ge=0, le=10, title="L2 penalty", description="Weight of the L2 penalty"
    )
    n_layers: int = Field(
        4, ge=0, le=MAX_LAYERS, title="Layers", description="Propagation steps, L"
    )
    layer_refinement: Literal["off", "cosine"] = Field(
        "cosine",
        title="Layer refinement",
        description="Every row is weighted by its cosine with x^0; off: plain propagation",
    )
    edge_dropout: float = Field(
        0.1, ge=0, lt=1, title="Edge dropout", description="Share of the edges an epoch leaves out"
    )


class LayerGCN(GraphRecommender):
    name = "layergcn"
    drops_by_degree = True
    readout = Readout("sum", first=1)
    linear_propagation = True  # without the refinement
    settings_class = LayerGCNHyperparameters

    def __init__(self, inputs: ModelInputs, settings: LayerGCNHyperparameters) -> None:
        super().__init__(inputs, settings)
        self.node_emb = xavier_normal(self.n_users + self.n_items, settings.embedding_size)

    def step_tables(self) -> float:
        return 3 + self.remedy_tables()
