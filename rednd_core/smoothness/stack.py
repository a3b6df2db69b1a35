"""A stack of layers, one depth at a time, with the running mean of the layers beside each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rednd_core.errors import DataError
from rednd_core.smoothness.view import ConnectedPart, LayerView

Array = NDArray[np.float64]


class Needs(NamedTuple):
    """What is worth computing: means of the layers; A-hat X, read off the next layer (linear models)."""

    means: bool
    products: bool


class Rows(NamedTuple):
    """Of one matrix over all nodes: connected (n, d) and isolated (N - n, d), float64."""

    connected: Array
    isolated: Array


@dataclass
class Depth:
    """Layer k, and the mean of the layers 0..k (or the layer again).

    Attributes:
        k: from 0.
        following: layer k + 1; None at the last one.
        first, total: layer 0, and the sum of the layers 0..k.
    """

    k: int
    part: ConnectedPart
    needs: Needs
    rows: Rows
    following: Rows | None
    first: Rows
    total: Rows

    @property
    def is_last(self) -> bool:
        return self.following is None

    @cached_property
    def layer(self) -> LayerView:
        products = self._product if self.needs.products else None
        return LayerView(self.rows.connected, self.part, self.rows.isolated, products)

    @cached_property
    def mean(self) -> LayerView:
        if not (self.needs.means and self.k):
            return self.layer
        connected, isolated = (rows / (self.k + 1) for rows in self.total)
        products = self._mean_product if self.needs.products else None
        return LayerView(connected, self.part, isolated, products)

    def _product(self) -> Array:
        if self.following is not None:
            return self.following.connected
        return np.asarray(self.part.norm_adj @ self.rows.connected)

    def _mean_product(self) -> Array:
        """A-hat (x^0 + .. + x^k) = x^1 + .. + x^(k+1), divided by k + 1."""
        beyond = self.total.connected - self.first.connected
        beyond += self.layer.propagated
        beyond /= self.k + 1
        return beyond


def each_depth_of(
    stack: Iterable[NDArray[np.floating]], modality: str, part: ConnectedPart, needs: Needs
) -> Iterator[Depth]:
    """x^0 .. x^L, one after the other; memory holds two layers and the sum of all so far.

    Raises:
        DataError: no layer, or one of another shape.
    """
    layers = _rows_of(stack, modality, part)
    first = rows = total = next(layers)
    k = 0
    while True:
        following = next(layers, None)
        yield Depth(k, part, needs, rows, following, first, total)
        if following is None:
            return
        rows, k = following, k + 1
        if needs.means:
            total = Rows(*(summed + more for summed, more in zip(total, rows, strict=True)))


def _rows_of(
    stack: Iterable[NDArray[np.floating]], modality: str, part: ConnectedPart
) -> Iterator[Rows]:
    shape, n_nodes = None, len(part.nodes) + len(part.isolated)
    for layer in stack:
        if np.ndim(layer) != 2 or len(layer) != n_nodes or shape not in (None, np.shape(layer)):
            raise _unfit(modality, n_nodes, np.shape(layer))
        shape = np.shape(layer)
        connected = layer[part.nodes] if len(part.isolated) else layer
        yield Rows(
            np.asarray(connected, dtype=np.float64),
            np.asarray(layer[part.isolated], dtype=np.float64),
        )
    if shape is None:
        raise _unfit(modality, n_nodes, "no layer")


def _unfit(modality: str, n_nodes: int, found: object) -> DataError:
    return DataError(
        expected=f"layers of modality {modality!r} that are all ({n_nodes}, d)",
        found=str(found),
        remedy="pass x^0 .. x^L of the model that was trained on this graph",
    )
