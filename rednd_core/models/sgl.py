"""SGL: Wu et al., "Self-supervised Graph Learning for Recommendation", SIGIR 2021, arXiv 2010.10783, with
views by edge dropout (SGL-ED).

    A = D^-1/2 [[0,R],[R^T,0]] D^-1/2
    z = mean over l = 0..L of A^l x^0,   score(u, i) = z_u . z_i
    loss = BPR + reg_weight * 1/(2B) sum |x^0|^2 over the batch's rows
           + contrast_weight * (InfoNCE of the batch's users + InfoNCE of its positive items)

Two views are drawn every epoch: z on a graph without a share of the edges, with the degrees that are left.
The InfoNCE compares a node of the first view with all nodes of its kind in the second. BPR is on the whole
graph. Deviations from the released code: 1. losses are means over rows (released: all three are sums); 2. a
node that a batch has twice counts once in the InfoNCE; 3. the number of edges left out is rounded to the
nearest; 4. contrast_weight is .02 by default (published: .02 to .5), by validation on the sample shop.
"""

from __future__ import annotations

from pydantic import Field
from torch import Tensor

from rednd_core.data.sampling import BPRBatch
from rednd_core.modeling.base import MAX_LAYERS, xavier_normal
from rednd_core.modeling.bpr import GraphHyperparameters, LinearRecommender
from rednd_core.modeling.contrast import Temperature, contrast_of_batch
from rednd_core.modeling.edge_dropout import thinned
from rednd_core.modeling.inputs import ModelInputs
from rednd_core.modeling.randomness import Epoch


class SGLHyperparameters(GraphHyperparameters):
    n_layers: int = Field(
        3, ge=0, le=MAX_LAYERS, title="Layers", description="Propagation steps, L"
    )
    contrast_weight: float = Field(
        0.02, ge=0, le=10, title="Contrast weight", description="Weight of the contrastive loss"
    )
    edge_dropout: float = Field(
        0.1, ge=0, lt=1, title="Edge dropout", description="Share of the edges a view leaves out"
    )
    temperature: Temperature = Field(
        0.2, title="Contrast temperature", description="Temperature of the contrastive loss"
    )


class SGL(LinearRecommender):
    name = "sgl"
    settings_class = SGLHyperparameters
    to_divide = "set contrast_weight=0, or train it in one process"

    def __init__(self, inputs: ModelInputs, settings: SGLHyperparameters) -> None:
        super().__init__(inputs, settings)
        self.view_graphs = [inputs.user_item] * 2
        self.node_emb = xavier_normal(self.n_users + self.n_items, settings.embedding_size)
        self.loss_weights["contrast"] = settings.contrast_weight

    def begin_epoch(self, epoch: Epoch) -> None:
        if share := self.settings.edge_dropout:
            self.view_graphs = [thinned(self._inputs, share, epoch, by_degree=False) for _ in "12"]
            self.step_version += 1

    def losses(self, batch: BPRBatch) -> dict[str, Tensor]:
        losses = super().losses(batch)
        if self.loss_weights["contrast"]:
            views = [self.embeddings_on(graph) for graph in self.view_graphs]
            losses["contrast"] = contrast_of_batch(
                views, batch, self.settings.temperature, scope="anchors"
            )
        return losses

    @property
    def divisible(self) -> bool:
        return not self.loss_weights["contrast"] and super().divisible

    def step_tables(self) -> float:
        return 18 + 3 * self.remedy_tables()  # of the views as well
