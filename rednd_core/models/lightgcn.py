"""LightGCN: He et al., "LightGCN: Simplifying and Powering Graph Convolution Network for
Recommendation", SIGIR 2020, arXiv 2002.02126.

    x^l = A x^(l-1),   A = D^-1/2 [[0,R],[R^T,0]] D^-1/2
    z = mean over l = 0..L of x^l,   score(u, i) = z_u . z_i
    loss = BPR + reg_weight * 1/(2B) sum |x^0|^2 over the batch's rows

No self-loops, no weights, no non-linearity. Embeddings start Xavier-normal over the whole (N, d) table.
"""

from __future__ import annotations

from pydantic import Field
from torch import Tensor

from rednd_core.modeling.base import MAX_LAYERS, xavier_normal
from rednd_core.modeling.bpr import GraphHyperparameters, LinearRecommender
from rednd_core.modeling.inputs import ModelInputs


class LightGCNHyperparameters(GraphHyperparameters):
    n_layers: int = Field(
        2, ge=0, le=MAX_LAYERS, title="Layers", description="Propagation steps, L"
    )


class LightGCN(LinearRecommender):
    name = "lightgcn"
    settings_class = LightGCNHyperparameters

    def __init__(self, inputs: ModelInputs, settings: LightGCNHyperparameters) -> None:
        super().__init__(inputs, settings)
        self.node_emb = xavier_normal(self.n_users + self.n_items, settings.embedding_size)

    def step(self, y: Tensor, layers: list[Tensor]) -> Tensor:
        return y  # x^l = A x^(l-1): what every model does that does not say otherwise

    def step_tables(self) -> float:
        return 5 + self.remedy_tables()
