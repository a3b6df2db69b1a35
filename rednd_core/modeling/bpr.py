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
from rednd_core.modeling.propagation import PropagatingRecommender
from rednd_core.modeling.remedies import RemedyHyperparameters
from rednd_core.modeling.rows import batch_rows, gather


class GraphHyperparameters(RemedyHyperparameters, EmbeddingHyperparameters):
    """Settings of an embedding model with propagation."""


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
        return self.losses_of(batch, *self.embeddings())

    def losses_of(self, batch: BPRBatch, user_emb: Tensor, item_emb: Tensor) -> dict[str, Tensor]:
        """The losses of a batch, of the vectors that score."""
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


class GraphRecommender(PropagatingRecommender, BPRRecommender):
    """A model that propagates and is trained by BPR: a subclass writes ``step`` where another writes
    ``propagate``. Its settings are :class:`GraphHyperparameters` and ``n_layers``.
    """

    settings_class: ClassVar[type[GraphHyperparameters]] = GraphHyperparameters

    def scored(self, layers: list[Tensor]) -> tuple[Tensor, Tensor]:
        """What scores, of [x^0 .. x^L]: users (n_users, D) and items (n_items, D)."""
        return self.split_nodes(self.readout.at(layers))

    def embeddings(self) -> tuple[Tensor, Tensor]:
        return self.scored(self.propagate(self.ego()))

    def losses(self, batch: BPRBatch) -> dict[str, Tensor]:
        layers = self.propagate(self.ego())
        return self.losses_of(batch, *self.scored(layers)) | self.remedy_losses(batch, layers)

    @property
    def divisible(self) -> bool:
        own = type(self).extra_losses is BPRRecommender.extra_losses
        return own and self.alignment_divides


class LinearRecommender(GraphRecommender):
    """x^l = A x^(l-1), and z = mean of x^0 .. x^L: the sum of the layers by one pass of Horner's rule.

    It computes what :class:`GraphRecommender` would of the same ``ego`` and ``step`` (tests compare the
    two), in two thirds of the time: no layer is kept, and the loss reads only the batch's rows. With
    ``extra_losses`` or ``penalised`` of its own, and with a remedy that needs the layers, a model has the
    losses of :class:`GraphRecommender`.
    """

    linear_propagation = True

    def embeddings(self) -> tuple[Tensor, Tensor]:
        return self.embeddings_on(self.graph)

    def embeddings_on(self, graph: Propagator) -> tuple[Tensor, Tensor]:
        """What would score if ``graph`` were the graph."""
        ego = self.ego()
        if not self.settings.leave_layers_alone:
            return self.scored(self.propagate(ego, graph))
        return self.split_nodes((ego + graph.power_sum(ego, self.n_layers)) / (self.n_layers + 1))

    @property
    def _reads_rows_alone(self) -> bool:
        own, plain = type(self), BPRRecommender
        has_own_losses = (
            own.extra_losses is not plain.extra_losses or own.penalised is not plain.penalised
        )
        return self.settings.leave_layers_alone and not (has_own_losses or self.has_remedy_losses)

    def losses(self, batch: BPRBatch) -> dict[str, Tensor]:
        if not self._reads_rows_alone:
            return super().losses(batch)
        ego, above = self.graph.power_sum_rows(self.ego(), self.n_layers, self.nodes_of(batch))
        rows = ((ego + above) / (self.n_layers + 1)).chunk(3)
        return {
            "bpr": bpr_loss((rows[0] * rows[1]).sum(1), (rows[0] * rows[2]).sum(1)),
            "regularization": batch_l2(*ego.chunk(3)),
        }
