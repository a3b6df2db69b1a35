"""Models with layers: one loop for all of them, on the graph of the epoch, with the remedies that are on."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor
from torch.linalg import vector_norm

from rednd_core.data.sampling import BPRBatch
from rednd_core.graph.propagator import Propagate, Propagator
from rednd_core.modeling.alignment import align, require_neighbours
from rednd_core.modeling.base import Recommender
from rednd_core.modeling.edge_dropout import thinned
from rednd_core.modeling.inputs import ModelInputs
from rednd_core.modeling.randomness import Epoch
from rednd_core.modeling.remedies import refined, with_residual
from rednd_core.modeling.rows import batch_nodes


class PropagatingRecommender(Recommender):
    """x^l = step(A x^(l-1), [x^0 .. x^(l-1)]) for l = 1..L, and the remedies around it.

    Its settings have ``n_layers``, ``alignment_weight`` and those of
    :class:`~rednd_core.modeling.remedies.LayerRemedies`.

    Attributes:
        n_layers: L.
        settings: of the model.
        drops_by_degree: whether an edge stays with a chance in proportion to 1 / sqrt(d_u d_i); else all
            edges have the same chance.
    """

    drops_by_degree: ClassVar[bool] = False
    n_layers: int
    settings: Any
    to_divide = "set alignment_scope=full or alignment_weight=0, or train it in one process"

    def __init__(self, inputs: ModelInputs, settings: Any) -> None:
        super().__init__(inputs, settings)
        require_neighbours(settings.alignment_weight, settings.n_layers)
        self.settings, self.n_layers = settings, settings.n_layers
        self._inputs, self._whole, self._thinned = inputs, inputs.user_item, inputs.user_item
        if not settings.leave_layers_alone:
            self.linear_propagation = False
        if self.n_layers:
            self.loss_weights["alignment"] = settings.alignment_weight

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
            layers.append(x if length is None else refined(x, ego, length))
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
        if not self.has_remedy_losses:
            return {}
        return {"alignment": self.alignment(batch, layers[0], sum(layers[2:], start=layers[1]))}

    def alignment(self, batch: BPRBatch, ego: Tensor, above: Tensor) -> Tensor:
        """The alignment of x^0 with the sum of x^1 .. x^L for the nodes of a batch."""
        return align(ego, above, batch_nodes(batch, self.n_users), self.settings.comparison)

    @property
    def has_remedy_losses(self) -> bool:
        """Whether the weight of a remedy's loss is above 0."""
        return bool(self.loss_weights.get("alignment"))

    @property
    def divisible(self) -> bool:
        """A model's own losses are means over rows, unless it says otherwise."""
        return self.alignment_divides

    @property
    def alignment_divides(self) -> bool:
        """Whether the alignment of parts of a batch adds up to that of the whole, or is off."""
        return self.settings.alignment_scope == "full" or not self.loss_weights.get("alignment")

    def remedy_tables(self) -> float:
        """What the remedies add to :meth:`step_tables`, measured likewise: every layer is kept."""
        settings = self.settings
        a_layer = 2 * bool(settings.initial_residual) + 2 * bool(settings.alignment_weight)
        a_layer += 4 * (settings.layer_refinement != "off")
        return float(self.n_layers * a_layer)
