"""LightCCF: "Unveiling Contrastive Learning's Capability of Neighborhood Aggregation for Collaborative
Filtering", SIGIR 2025, arXiv 2504.10113.

    A = D^-1/2 [[0,R],[R^T,0]] D^-1/2
    z = mean over l = 0..L of A^l x^0,   score(u, i) = z_u . z_i
    N_k = -ln( exp(P_kk / t) / sum over rows m of exp((P_km + Q_km) / t) )      of row k of the batch
          P_km = cos(z_u(k), z_i(m)),   Q_km = cos(z_u(k), z_u(m)),   i: the positive item
    loss = BPR + reg_weight * 1/(2B) sum |x^0|^2 over the batch's rows + neighbourhood_weight * mean of N_k

The loss pulls a user towards its own items and away from the items and users of the other rows, which does
what a step of propagation does; with L = 0 there is no other propagation. ``denominator=sums`` adds
exp(P_km / t) and exp(Q_km / t) instead of multiplying them, which the paper's words admit as well. Rows of a
batch are not made distinct, and m = k counts. Deviations from the released code: 1. no 1e-5 inside the
logarithm, which would cap the loss of the rows that fit worst; 2. neighbourhood_weight is .1 by default
(published: 1 to 5, which falls far behind on the sample shop).
"""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from rednd_core.data.sampling import BPRBatch
from rednd_core.losses.unit_rows import unit_rows
from rednd_core.modeling.base import MAX_LAYERS, xavier_normal
from rednd_core.modeling.bpr import GraphHyperparameters, LinearRecommender
from rednd_core.modeling.contrast import Temperature
from rednd_core.modeling.inputs import ModelInputs
from rednd_core.modeling.rows import gather


class LightCCFHyperparameters(GraphHyperparameters):
    n_layers: int = Field(
        3, ge=0, le=MAX_LAYERS, title="Layers", description="Propagation steps, L"
    )
    neighbourhood_weight: float = Field(
        0.1,
        ge=0,
        le=10,
        title="Neighbourhood weight",
        description="Weight of the loss that pulls users towards their items and apart from other rows",
    )
    temperature: Temperature = Field(
        0.22, title="Temperature", description="Temperature of the neighbourhood loss"
    )
    denominator: Literal["product", "sums"] = Field(
        "product",
        title="Denominator",
        description="product: one exponential of both cosines (released code); sums: one of each",
    )


class LightCCF(LinearRecommender):
    name = "lightccf"
    settings_class = LightCCFHyperparameters

    def __init__(self, inputs: ModelInputs, settings: LightCCFHyperparameters) -> None:
        super().__init__(inputs, settings)
        self.node_emb = xavier_normal(self.n_users + self.n_items, settings.embedding_size)
        self.loss_weights["neighbourhood"] = settings.neighbourhood_weight

    def extra_losses(
        self, batch: BPRBatch, user_emb: Tensor, item_emb: Tensor
    ) -> dict[str, Tensor]:
        users = unit_rows(gather(user_emb, batch.users))
        items = unit_rows(gather(item_emb, batch.pos_items))
        to_items = users @ items.T / self.settings.temperature
        to_users = users @ users.T / self.settings.temperature
        if self.settings.denominator == "product":
            compared = to_items + to_users
        else:
            compared = torch.cat([to_items, to_users], dim=1)
        return {"neighbourhood": (compared.logsumexp(1) - to_items.diagonal()).mean()}

    def step_tables(self) -> float:
        return 6 + self.remedy_tables()
