"""SimGCL: Yu et al., "Are Graph Augmentations Necessary? Simple Graph Contrastive Learning for
Recommendation", SIGIR 2022, arXiv 2112.08679.

    A = D^-1/2 [[0,R],[R^T,0]] D^-1/2
    x^l = A x^(l-1),   z = mean over l = 1..L of x^l,   score(u, i) = z_u . z_i
    in a view: x^l = y + noise * sign(y) * q / |q|,   y = A x^(l-1),   q uniform in [0, 1)^d for every node
    loss = BPR + reg_weight * 1/(2B) sum |x^0|^2 over the batch's rows
           + contrast_weight * (InfoNCE of the batch's distinct users + InfoNCE of its positive items)

The InfoNCE compares two views, each with noise of its own. Evaluation is without noise.

Deviations from the released codes: 1. the penalty is squared and on x^0 (SELFRec: unsquared, on z);
2. the InfoNCE is a mean over nodes, as in SELFRec (RecBole-GNN: a sum); 3. contrast_weight is .02 by default
(published: .2 to 2, for larger data sets), chosen by validation on the sample shop.
"""

from __future__ import annotations

from pydantic import Field
from torch import Tensor

from rednd_core.data.sampling import BPRBatch
from rednd_core.modeling.base import MAX_LAYERS, xavier_normal
from rednd_core.modeling.bpr import GraphHyperparameters, GraphRecommender
from rednd_core.modeling.contrast import Temperature, contrast_of_batch
from rednd_core.modeling.inputs import ModelInputs
from rednd_core.modeling.randomness import directions_in_orthants
from rednd_core.readout import Readout


class SimGCLHyperparameters(GraphHyperparameters):
    n_layers: int = Field(
        2, ge=0, le=MAX_LAYERS, title="Layers", description="Propagation steps, L"
    )
    contrast_weight: float = Field(
        0.02, ge=0, le=10, title="Contrast weight", description="Weight of the contrastive loss"
    )
    noise: float = Field(
        0.1, ge=0, le=10, title="Noise", description="Length of a node's noise, at every layer"
    )
    temperature: Temperature = Field(
        0.2, title="Contrast temperature", description="Temperature of the contrastive loss"
    )


class SimGCL(GraphRecommender):
    name = "simgcl"
    readout = Readout("mean", first=1)
    linear_propagation = True
    stochastic = True
    settings_class = SimGCLHyperparameters
    to_divide = "set contrast_weight=0, or train it in one process"

    def __init__(self, inputs: ModelInputs, settings: SimGCLHyperparameters) -> None:
        super().__init__(inputs, settings)
        self.node_emb = xavier_normal(self.n_users + self.n_items, settings.embedding_size)
        self.loss_weights["contrast"] = settings.contrast_weight

    def noisy(self, x: Tensor) -> Tensor:
        """A x, and the noise of a view."""
        y = self.graph(x)
        noise: Tensor = self.settings.noise * directions_in_orthants(y, self.generator)
        return y + noise

    def extra_losses(
        self, batch: BPRBatch, user_emb: Tensor, item_emb: Tensor
    ) -> dict[str, Tensor]:
        if not self.loss_weights["contrast"]:
            return {}
        product = self.noisy if self.settings.noise else self.graph
        views = [self.scored(self.propagate(self.node_emb, product)) for _ in "12"]
        return {"contrast": contrast_of_batch(views, batch, self.settings.temperature)}

    @property
    def divisible(self) -> bool:
        return not self.loss_weights["contrast"] and self.alignment_divides

    def step_tables(self) -> float:
        return 18 + 3 * self.remedy_tables()  # of the views as well
