"""The model that most models are: an encoder, trained by BPR and an L2 penalty, and extra losses."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from rednd_core.data.sampling import BPRBatch
from rednd_core.graph.propagator import Propagator
from rednd_core.losses.bpr import bpr_loss
from rednd_core.losses.regularization import batch_l2
from rednd_core.modeling.base import EmbeddingHyperparameters, Recommender
from rednd_core.modeling.inputs import ModelInputs
from rednd_core.modeling.rows import batch_rows, gather


class BPRRecommender(Recommender):
    """loss = BPR + reg_weight * 1/(2B) sum |x^0|^2 over the batch's rows + extra losses.

    A subclass writes ``propagate``; ``ego`` where x^0 is more than the parameter ``node_emb``;
    ``extra_losses`` and the weights of these where it has any.

    Attributes:
        node_emb: x^0 of all nodes, (N, d), in a model that does not override :meth:`ego`.
    """

    node_emb: nn.Parameter

    settings_class: ClassVar[type[EmbeddingHyperparameters]] = EmbeddingHyperparameters

    def __init__(self, inputs: ModelInputs, settings: Any) -> None:
        super().__init__(inputs, settings)
        self.loss_weights = {"bpr": 1.0, "regularization": settings.reg_weight}

    def ego(self) -> Tensor:
        """x^0 of all nodes, (N, d)."""
        return self.node_emb

    def propagate(self, ego: Tensor) -> list[Tensor]:
        """[x^0 .. x^L] of x^0; only x^0 where a model propagates nothing."""
        return [ego]

    def extra_losses(
        self, batch: BPRBatch, user_emb: Tensor, item_emb: Tensor
    ) -> dict[str, Tensor]:
        """Further named losses of a batch.

        Args:
            user_emb: (n_users, D), item_emb: (n_items, D): what scores, as :meth:`embeddings` has it.
        """
        return {}

    def penalised(self, batch: BPRBatch) -> tuple[Tensor, ...]:
        """The rows of a batch that the L2 penalty sums over, each (batch, d)."""
        return gather(self.ego(), self.nodes_of(batch)).chunk(3)

    def nodes_of(self, batch: BPRBatch) -> Tensor:
        """Users, positive items and negative items of a batch as nodes, (3 * batch,)."""
        return torch.cat(
            [batch.users, batch.pos_items + self.n_users, batch.neg_items + self.n_users]
        )

    def layers(self) -> dict[str, list[Tensor]]:
        return {"id": self.propagate(self.ego())}

    def losses(self, batch: BPRBatch) -> dict[str, Tensor]:
        user_emb, item_emb = self.embeddings()
        users, positives, negatives = batch_rows(batch, user_emb, item_emb)
        return {
            "bpr": bpr_loss((users * positives).sum(1), (users * negatives).sum(1)),
            "regularization": batch_l2(*self.penalised(batch)),
            **self.extra_losses(batch, user_emb, item_emb),
        }

    @property
    def divisible(self) -> bool:
        """Both losses are means over rows; a model with extra losses has to say it of these itself."""
        return type(self).extra_losses is BPRRecommender.extra_losses


class LinearRecommender(BPRRecommender):
    """x^l = A x^(l-1), and z = mean of x^0 .. x^L: the sum of the layers by one pass of Horner's rule.

    It computes what :class:`BPRRecommender` would of the same ``ego`` and ``propagate`` (tests compare the
    two), in two thirds of the time: no layer is kept, and the loss reads only the batch's rows. With
    ``extra_losses`` or ``penalised`` of its own a model has the losses of :class:`BPRRecommender`.

    Attributes:
        graph: A. n_layers: L.
    """

    linear_propagation = True
    graph: Propagator
    n_layers: int

    def embeddings(self) -> tuple[Tensor, Tensor]:
        ego = self.ego()
        return self.split_nodes(
            (ego + self.graph.power_sum(ego, self.n_layers)) / (self.n_layers + 1)
        )

    def losses(self, batch: BPRBatch) -> dict[str, Tensor]:
        own, plain = type(self), BPRRecommender
        if own.extra_losses is not plain.extra_losses or own.penalised is not plain.penalised:
            return super().losses(batch)
        ego, above = self.graph.power_sum_rows(self.ego(), self.n_layers, self.nodes_of(batch))
        rows = ((ego + above) / (self.n_layers + 1)).chunk(3)
        return {
            "bpr": bpr_loss((rows[0] * rows[1]).sum(1), (rows[0] * rows[2]).sum(1)),
            "regularization": batch_l2(*ego.chunk(3)),
        }
