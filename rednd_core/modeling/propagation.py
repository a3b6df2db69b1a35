"""Models with layers: one loop for all of them, on the graph of the epoch, with the remedies that are on."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.linalg import vector_norm

from rednd_core.data.sampling import BPRBatch
from rednd_core.errors import ConfigError
from rednd_core.graph.propagator import Propagate, Propagator
from rednd_core.losses.decorrelation import decorrelation
from rednd_core.modeling.alignment import align, require_neighbours
from rednd_core.modeling.base import Recommender
from rednd_core.modeling.edge_dropout import thinned
from rednd_core.modeling.inputs import ModelInputs
from rednd_core.modeling.randomness import Epoch
from rednd_core.modeling.registry import weight_setting
from rednd_core.modeling.remedies import pair_normalised, refined, with_residual
from rednd_core.modeling.rows import batch_nodes
from rednd_core.readout import Readout


class PropagatingRecommender(Recommender):
    """x^l = step(A x^(l-1), [x^0 .. x^(l-1)]) for l = 1..L, and the remedies around it.

    Its settings have ``n_layers``, a weight of the alignment and ``comparison``, and those of
    :class:`~rednd_core.modeling.remedies.LayerRemedies`.

    Attributes:
        n_layers: L.
        settings: of the model.
        drops_by_degree: whether an edge stays with a chance in proportion to 1 / sqrt(d_u d_i); else all
            edges have the same chance.
        alignment_loss: the name of the alignment among the losses.
        joins_layers: whether layers side by side can score.
    """

    drops_by_degree: ClassVar[bool] = False
    alignment_loss: ClassVar[str] = "plugin_alignment"
    joins_layers: ClassVar[bool] = True
    n_layers: int
    settings: Any
    to_divide = (
        "set plugin_alignment_scope=full or plugin_alignment_weight=0, or train it in one process"
    )

    def __init__(self, inputs: ModelInputs, settings: Any) -> None:
        super().__init__(inputs, settings)
        weight = getattr(settings, weight_setting(self.alignment_loss))
        require_neighbours(self.alignment_loss, weight, settings.n_layers)
        self.settings, self.n_layers = settings, settings.n_layers
        self._inputs, self._whole, self._thinned = inputs, inputs.user_item, inputs.user_item
        if not settings.leave_propagation_alone:
            self.linear_propagation = False
        if settings.jumping_knowledge == "concat" and not self.joins_layers:
            raise ConfigError(
                expected=f"jumping_knowledge=max or off, as {self.name} goes on with vectors of one width",
                found="jumping_knowledge=concat",
                remedy="choose max or another model",
            )
        if settings.jumping_knowledge != "off":
            self.readout = Readout(settings.jumping_knowledge, first=1)
        if self.n_layers:
            self.loss_weights |= {
                self.alignment_loss: float(weight),
                "decorrelation": float(settings.decorrelation_weight),
            }

    def step(self, y: Tensor, layers: list[Tensor]) -> Tensor:
        """x^l, (N, d), of y = A x^(l-1) and of the layers below it, [x^0 .. x^(l-1)]."""
        return y

    def propagate(self, ego: Tensor, graph: Propagate | None = None) -> list[Tensor]:
        """[x^0 .. x^L] of x^0.

        Args:
            graph: x -> A x; None for :attr:`graph`.
        """
        settings, product, layers = self.settings, graph or self.graph, [ego]
        length = None if settings.layer_refinement == "off" else vector_norm(ego, dim=-1)
        for _ in range(self.n_layers):
            y = with_residual(product(layers[-1]), ego, settings.initial_residual)
            x = self.step(y, layers)
            if length is not None:
                x = refined(x, ego, length)
            if settings.pair_norm:
                sides = self.split_nodes(x)
                x = torch.cat([pair_normalised(rows, settings.pair_norm) for rows in sides])
            layers.append(x)
        return layers

    @property
    def graph(self) -> Propagator:
        """The graph of the epoch in training, the whole graph otherwise."""
        return self._thinned if self.training else self._whole

    def begin_epoch(self, epoch: Epoch) -> None:
        if share := self.settings.edge_dropout:
            self._thinned = thinned(self._inputs, share, epoch, by_degree=self.drops_by_degree)
            self.step_version += 1

    def remedy_losses(self, batch: BPRBatch, layers: list[Tensor]) -> dict[str, Tensor]:
        """The losses of the remedies whose weight is above 0.

        Args:
            layers: [x^0 .. x^L], each (N, d) or, of several modalities, (N, M, d).
        """
        named = {}
        if self.loss_weights.get(self.alignment_loss):
            nodes, above = batch_nodes(batch, self.n_users), sum(layers[2:], start=layers[1])
            named[self.alignment_loss] = align(layers[0], above, nodes, self.settings.comparison)
        if self.loss_weights.get("decorrelation"):
            blocks = [x[:, None] if x.ndim == 2 else x for x in layers[1:]]  # (N, M, d)
            columns = zip(*(x.unbind(dim=1) for x in blocks), strict=True)
            sides = [
                side for one in columns for side in zip(*map(self.split_nodes, one), strict=True)
            ]
            named["decorrelation"] = torch.stack([decorrelation(side) for side in sides]).sum()
        return named

    @property
    def has_remedy_losses(self) -> bool:
        """Whether the weight of a remedy's loss is above 0."""
        return any(map(self.loss_weights.get, (self.alignment_loss, "decorrelation")))

    @property
    def divisible(self) -> bool:
        """A model's own losses are means over rows, unless it says otherwise."""
        return self.alignment_divides

    @property
    def alignment_divides(self) -> bool:
        """Whether the alignment of parts of a batch adds up to that of the whole, or is off."""
        return self.settings.comparison.scope == "full" or not self.loss_weights.get(
            self.alignment_loss
        )

    def remedy_tables(self) -> float:
        """What the remedies add to :meth:`step_tables`, measured likewise: every layer is kept."""
        settings = self.settings
        aligns = getattr(settings, weight_setting(self.alignment_loss)) > 0
        a_layer = 2 * bool(settings.initial_residual) + 2 * aligns
        a_layer += 4 * (settings.layer_refinement != "off") + 4 * bool(settings.pair_norm)
        a_layer += 2 * (settings.jumping_knowledge != "off") + 3 * bool(
            settings.decorrelation_weight
        )
        return float(self.n_layers * a_layer)
