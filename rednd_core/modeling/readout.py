"""How the layers of a model become what scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Rule = Literal["mean", "sum", "last", "concat"]


@dataclass(frozen=True)
class Readout:
    """z^k, what would score if propagation stopped at layer k, as a rule over x^first .. x^k.

    Attributes:
        rule: ``mean`` or ``sum`` of these layers, the ``last`` of them, or all side by side (``concat``).
        first: the first layer that takes part, 0 or 1. Where it is 1, z^0 is x^0: without propagation
            there is nothing else.
    """

    rule: Rule = "mean"
    first: Literal[0, 1] = 0

    def __call__(self, layers: Sequence[Tensor]) -> list[Tensor]:
        """[x^0 .. x^L], each (N, d) -> [z^0 .. z^L], each (N, d); (N, d + .. + d) for ``concat``."""
        return [self.at(layers[: k + 1]) for k in range(len(layers))]

    def at(self, layers: Sequence[Tensor]) -> Tensor:
        """z^k of [x^0 .. x^k]."""
        taken = list(layers[self.first :]) or list(layers)
        if self.rule == "last":
            return taken[-1]
        if self.rule == "concat":
            return torch.cat(taken, dim=1)
        total = sum(taken[1:], start=taken[0])
        return total / len(taken) if self.rule == "mean" else total
