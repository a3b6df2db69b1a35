"""How the layers of a model become what scores: z^k, as if propagation stopped at layer k."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, ClassVar, Literal, TypeVar

from pydantic import ConfigDict

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

Table = TypeVar("Table", "NDArray[np.floating]", "Tensor")

Rule = Literal["mean", "sum", "last", "concat", "max"]


@dataclass(frozen=True)
class Readout:
    """A rule from [x^0 .. x^k], each (N, d), to z^k, (N, d); for ``concat`` of m layers (N, m d).

    It serves arrays and tensors alike.

    Attributes:
        rule: ``mean``, ``sum`` or entry by entry the ``max`` of the layers that take part, the ``last`` of
            them, or all side by side (``concat``).
        first: the first layer that takes part, 0 or 1. Where it is 1, z^0 is x^0: without propagation
            there is nothing else.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    rule: Rule = "mean"
    first: Literal[0, 1] = 0

    def __call__(self, layers: Iterable[Table]) -> list[Table]:
        """[x^0 .. x^L] -> [z^0 .. z^L]."""
        return list(self.each(layers))

    def each(self, layers: Iterable[Table]) -> Iterator[Table]:
        """z^0 .. z^L, one after the other; memory holds a sum, or what is put side by side."""
        taken: list[Table] = []
        for k, layer in enumerate(layers):
            if k < self.first or self.rule == "last":
                yield layer
            elif self.rule == "concat":
                taken.append(layer)
                yield _side_by_side(taken)
            elif self.rule == "max":
                taken = [_larger(taken[0], layer)] if taken else [layer]
                yield taken[0]
            else:
                taken = [taken[0] + layer] if taken else [layer]
                n_taken = k + 1 - self.first
                yield taken[0] / n_taken if self.rule == "mean" and n_taken > 1 else taken[0]

    def at(self, layers: Sequence[Table]) -> Table:
        """z^k of [x^0 .. x^k]."""
        taken = layers[self.first :] or layers
        if self.rule == "last":
            return taken[-1]
        if self.rule == "concat":
            return _side_by_side(taken)
        if self.rule == "max":
            return reduce(_larger, taken)
        total = sum(taken[1:], start=taken[0])
        return total / len(taken) if self.rule == "mean" and len(taken) > 1 else total

    def width(self, widths: Sequence[int]) -> int:
        """The width of z^k, from those of x^0 .. x^k."""
        return sum(widths[self.first :] or widths) if self.rule == "concat" else widths[-1]


def _side_by_side(tables: Sequence[Table]) -> Table:
    if len(tables) == 1:
        return tables[0]
    import numpy as np

    if isinstance(tables[0], np.ndarray):
        return np.concatenate(tables, axis=1)
    import torch

    return torch.cat(list(tables), dim=1)


def _larger(one: Table, other: Table) -> Table:
    import numpy as np

    if isinstance(one, np.ndarray):
        larger: NDArray[np.floating] = np.maximum(one, other)
        return larger
    import torch

    return torch.maximum(one, other)
