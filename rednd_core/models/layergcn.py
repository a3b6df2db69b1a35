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

from pydantic import Field
from torch import Tensor
from torch.linalg import vecdot, vector_norm

from rednd_core.modeling.base import MAX_LAYERS, EmbeddingHyperparameters, xavier_normal
from rednd_core.modeling.edge_dropout import EdgeDropoutRecommender
from rednd_core.modeling.inputs import ModelInputs
from rednd_core.readout import Readout


class LayerGCNHyperparameters(EmbeddingHyperparameters):
    reg_weight: float = Field(
        1e-3, ge=0, le=10, title="L2 penalty", description="Weight of the L2 penalty"
    )
    n_layers: int = Field(
        4, ge=0, le=MAX_LAYERS, title="Layers", description="Propagation steps, L"
    )
    edge_dropout: float = Field(
        0.1, ge=0, lt=1, title="Edge dropout", description="Share of the edges an epoch leaves out"
    )


class LayerGCN(EdgeDropoutRecommender):
    name = "layergcn"
    readout = Readout("sum", first=1)
    settings_class = LayerGCNHyperparameters

    def __init__(self, inputs: ModelInputs, settings: LayerGCNHyperparameters) -> None:
        super().__init__(inputs, settings)
        self.n_layers = settings.n_layers
        self.node_emb = xavier_normal(self.n_users + self.n_items, settings.embedding_size)

    def propagate(self, ego: Tensor) -> list[Tensor]:
        layers, length = [ego], vector_norm(ego, dim=1)
        for _ in range(self.n_layers):
            y = self.graph(layers[-1])
            w = vecdot(y, ego) / (vector_norm(y, dim=1) * length).clamp_min(1e-12)  # (N,)
            layers.append(w[:, None] * y)
        return layers

    def step_tables(self) -> float:
        return 3 + 4 * self.n_layers  # Autograd keeps tables of every layer.
