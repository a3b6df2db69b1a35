"""Small models that need what the models of the field need and the registered ones do not: dropout, a graph
redrawn in every epoch, several optimisers and phases."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from rednd_core.data.sampling import BPRBatch
from rednd_core.graph.sampling import degree_weights, draw_edges, normalized_subset
from rednd_core.modeling.base import xavier_normal
from rednd_core.modeling.bpr import GraphRecommender
from rednd_core.modeling.inputs import ModelInputs
from rednd_core.modeling.phases import Phase, Update, UserBatch
from rednd_core.modeling.randomness import Epoch, dropout
from rednd_core.modeling.registry import REMEDY_LOSSES, ModelCard
from rednd_core.modeling.rows import gather
from rednd_core.models.lightgcn import LightGCN, LightGCNHyperparameters
from rednd_core.readout import Readout


def toy(name: str) -> ModelCard:
    return ModelCard(
        name,
        name.title(),
        "tests.contracts.toys",
        "",
        "id graph",
        live=("regularization", *REMEDY_LOSSES),
    )


CARDS = {name: toy(name) for name in ("toy_dropout", "toy_redrawn", "toy_phases", "toy_remedied")}


class ToyDropout(LightGCN):
    """LightGCN with dropout on x^0 in every step."""

    name = "toy_dropout"
    stochastic = True

    def ego(self) -> Tensor:
        return dropout(self.node_emb, 0.3, self.generator) if self.training else self.node_emb


class ToyRedrawn(LightGCN):
    """LightGCN on about two thirds of the pairs, others in every epoch; on all of them for evaluation."""

    name = "toy_redrawn"
    raises_its_version = True

    def __init__(self, inputs: ModelInputs, settings: LightGCNHyperparameters) -> None:
        super().__init__(inputs, settings)
        self.pruned = inputs.user_item

    def begin_epoch(self, epoch: Epoch) -> None:
        graph = self._inputs.graph
        n_kept = round(0.66 * len(self._inputs.train))
        kept = draw_edges(n_kept, degree_weights(graph), epoch.rng)
        self.pruned = self._inputs.bind(normalized_subset(graph, kept))
        self.step_version += self.raises_its_version

    @property
    def graph(self):
        return self.pruned if self.training else super().graph


class ToyRemediedHyperparameters(LightGCNHyperparameters):
    edge_dropout: float = Field(0.2, ge=0, lt=1)
    initial_residual: float = Field(0.2, ge=0, le=1)
    layer_refinement: Literal["off", "cosine"] = "cosine"
    pair_norm: float = Field(1, ge=0)
    jumping_knowledge: Literal["off", "concat", "max"] = "max"
    plugin_alignment_weight: float = Field(0.01, ge=0, le=10)
    decorrelation_weight: float = Field(0.01, ge=0, le=10)


class ToyRemedied(LightGCN):
    """LightGCN with the remedies on."""

    name = "toy_remedied"
    settings_class = ToyRemediedHyperparameters


class ToyPhases(GraphRecommender):
    """A denoiser of users that is trained first, and a critic that is trained beside the embeddings."""

    name = "toy_phases"
    readout = Readout("concat", first=1)
    settings_class = LightGCNHyperparameters

    def __init__(self, inputs: ModelInputs, settings: LightGCNHyperparameters) -> None:
        super().__init__(inputs, settings)
        size = settings.embedding_size
        self.node_emb = xavier_normal(self.n_users + self.n_items, size)
        self.denoiser, self.critic = nn.Linear(size, size), nn.Linear(size, 1)
        self.prior = nn.Buffer(torch.zeros(self.n_users, size))
        self.loss_weights |= {"denoising": 1.0, "critic": 1.0, "critique": 0.1}

    def step(self, y: Tensor, layers: list[Tensor]) -> Tensor:
        return (1 + 0.1 * len(layers)) * y

    def phases(self) -> list[Phase]:
        denoiser = Update(
            "denoiser", list(self.denoiser.parameters()), self.denoise, 1e-2, (0.5, 0.9), 0.01
        )
        critic = Update("critic", list(self.critic.parameters()), self.criticise)
        joint = Update("joint", [self.node_emb], self.losses)
        return [
            Phase("denoise", [denoiser], "users"),
            Phase("recommend", [critic, joint], begin=self.make_prior),
        ]

    def denoise(self, batch: UserBatch) -> dict[str, Tensor]:
        rows = gather(self.node_emb, batch.users).detach()
        return {"denoising": F.mse_loss(self.denoiser(rows.roll(1, 1)), rows)}

    def make_prior(self, epoch: Epoch) -> None:
        """It follows from the denoiser, which the phase does not move, and from what the epoch draws."""
        noise = torch.randn(self.prior.shape, generator=epoch.generator).to(self.prior)
        with torch.no_grad():
            self.prior.copy_(self.denoiser(noise))

    def criticise(self, batch: BPRBatch) -> dict[str, Tensor]:
        rows = gather(self.node_emb, batch.users).detach()
        prior = gather(self.prior, batch.users)
        return {"critic": (self.critic(rows) - self.critic(prior)).tanh().mean()}

    def extra_losses(
        self, batch: BPRBatch, user_emb: Tensor, item_emb: Tensor
    ) -> dict[str, Tensor]:
        return {"critique": -self.critic(gather(self.node_emb, batch.users)).tanh().mean()}
