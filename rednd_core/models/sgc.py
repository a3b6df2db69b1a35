"""SGC: Wu et al., "Simplifying Graph Convolutional Networks", ICML 2019, arXiv 1902.07153, on the user-item
graph with id embeddings.

    x^l = A x^(l-1),   A = D^-1/2 [[0,R],[R^T,0]] D^-1/2
    z = x^L,   score(u, i) = z_u . z_i
    loss = BPR + reg_weight * 1/(2B) sum |x^0|^2 over the batch's rows

It is LightGCN (arXiv 2002.02126) with a readout of the last layer only: the difference of the two is what the
mean over the layers is worth.

Deviations from the paper of SGC: 1. x^0 is a trained table (paper: features, then logistic regression); 2. no
self-loops, so that all models share one graph. Without them layers of even and of odd depth have two limits.
"""

from __future__ import annotations

from rednd_core.modeling.base import xavier_normal
from rednd_core.modeling.bpr import GraphRecommender
from rednd_core.modeling.inputs import ModelInputs
from rednd_core.models.lightgcn import LightGCNHyperparameters
from rednd_core.readout import Readout


class SGC(GraphRecommender):
    name = "sgc"
    readout = Readout("last")
    linear_propagation = True
    settings_class = LightGCNHyperparameters

    def __init__(self, inputs: ModelInputs, settings: LightGCNHyperparameters) -> None:
        super().__init__(inputs, settings)
        self.node_emb = xavier_normal(self.n_users + self.n_items, settings.embedding_size)

    def step_tables(self) -> float:
        return 6 + self.remedy_tables()
