"""NGCF: Wang et al., "Neural Graph Collaborative Filtering", SIGIR 2019, arXiv 1905.08108.

    A   = D^-1/2 [[0,R],[R^T,0]] D^-1/2,   y = A x^(l-1)
    x^l = rownorm(dropout(LeakyReLU((y + x^(l-1)) W1_l + (y * x^(l-1)) W2_l)))
    z   = x^0 .. x^L side by side,   score(u, i) = z_u . z_i
    loss = BPR + reg_weight * 1/(2B) sum |x^0|^2 over the batch's rows

The slope of LeakyReLU is .2. Dropout is drawn in every step and absent from evaluation.

Deviations from the paper: 1. the rows of every layer from 1 on have length 1, in the readout and in what is
propagated, as in RecBole (the authors' code: in the readout only; the paper: in neither, and deep models then
overflow); 2. the penalty is on x^0 only (paper: on W1 and W2 as well); 3. there is no dropout of nodes, whose
published rate is 0. The authors' code has biases, self-loops in A, and a LeakyReLU of each of the two terms.
"""

from __future__ import annotations

import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from rednd_core.losses.unit_rows import unit_rows
from rednd_core.modeling.base import MAX_LAYERS, xavier_normal
from rednd_core.modeling.bpr import GraphHyperparameters, GraphRecommender
from rednd_core.modeling.inputs import ModelInputs
from rednd_core.modeling.randomness import dropout
from rednd_core.modeling.remedies import WeightRemedies, near_identity
from rednd_core.readout import Readout

SLOPE = 0.2


class NGCFHyperparameters(WeightRemedies, GraphHyperparameters):
    n_layers: int = Field(
        3, ge=0, le=MAX_LAYERS, title="Layers", description="Propagation steps, L"
    )
    message_dropout: float = Field(
        0.1, ge=0, lt=1, title="Message dropout", description="Share of a layer's entries set to 0"
    )


class NGCF(GraphRecommender):
    name = "ngcf"
    readout = Readout("concat")
    stochastic = True
    settings_class = NGCFHyperparameters

    def __init__(self, inputs: ModelInputs, settings: NGCFHyperparameters) -> None:
        super().__init__(inputs, settings)
        d, depths = settings.embedding_size, range(settings.n_layers)
        self.node_emb = xavier_normal(self.n_users + self.n_items, d)
        self.sums = nn.ParameterList(xavier_normal(d, d) for _ in depths)  # W1
        self.products = nn.ParameterList(xavier_normal(d, d) for _ in depths)  # W2

    def step(self, y: Tensor, layers: list[Tensor]) -> Tensor:
        x, depth = layers[-1], len(layers)
        both = (y + x, self.sums[depth - 1]), (y * x, self.products[depth - 1])
        terms = [near_identity(s @ w, s, self.settings.identity_mapping, depth) for s, w in both]
        state = F.leaky_relu(terms[0] + terms[1], SLOPE)
        if self.training and self.settings.message_dropout:
            state = dropout(state, self.settings.message_dropout, self.generator)
        return unit_rows(state)

    def step_tables(self) -> float:
        return (
            4 + 10 * len(self.sums) + self.remedy_tables()
        )  # Autograd keeps tables of every layer.
