"""A stack of layers, one depth at a time, with the running means of the layers beside each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rednd_core.errors import DataError
from rednd_core.smoothness.precision import Matrix, row_type
from rednd_core.smoothness.view import ConnectedPart, LayerView


class Rows(NamedTuple):
    """Of one matrix over all nodes: connected (n, d) and isolated (N - n, d), of :func:`row_type`."""

    connected: Matrix
    isolated: Matrix


@dataclass
class Depth:
    """Layer k, and the means of the layers 0..k and 1..k.

    Attributes:
        k: from 0.
        rows: of layer k. start: of layer 0.
        later: sum of the layers 1..k; None at depth 0, and where no mean is wanted.
    """

    k: int
    part: ConnectedPart
    rows: Rows
    start: Rows
    later: Rows | None

    @cached_property
    def layer(self) -> LayerView:
        return LayerView(self.rows.connected, self.part, self.rows.isolated)

    @cached_property
    def mean(self) -> LayerView:
        """Of the layers 0..k; the layer itself at depth 0, and where no mean is wanted."""
        if self.later is None:
            return self.layer
        sums = (np.add(first, later) for first, later in zip(self.start, self.later, strict=True))
        connected, isolated = (rows / (self.k + 1) for rows in sums)
        return LayerView(connected, self.part, isolated)

    @cached_property
    def neighbours(self) -> LayerView | None:
        """Mean of the layers 1..k, which is what RedNⁿD's alignment loss compares x^0 with."""
        if self.later is None:
            return None
        connected, isolated = (rows / self.k for rows in self.later)
        return LayerView(connected, self.part, isolated)


def each_depth_of(
    stack: Iterable[NDArray[np.floating]], modality: str, part: ConnectedPart, *, means: bool
) -> Iterator[Depth]:
    """x^0 .. x^L, one after the other; memory holds two layers and a sum.

    Raises:
        DataError: no layer, or one of another shape.
    """
    start: Rows | None = None
    later: Rows | None = None
    for k, rows in enumerate(_rows_of(stack, modality, part)):
        start = start or rows
        if means and k:
            later = Rows(*map(np.add, later, rows)) if later is not None else rows
        yield Depth(k, part, rows, start, later)


def _rows_of(
    stack: Iterable[NDArray[np.floating]], modality: str, part: ConnectedPart
) -> Iterator[Rows]:
    shape, n_nodes = None, len(part.nodes) + len(part.isolated)
    for layer in stack:
        if np.ndim(layer) != 2 or len(layer) != n_nodes or shape not in (None, np.shape(layer)):
            raise _unfit(modality, n_nodes, np.shape(layer))
        shape = np.shape(layer)
        dtype = row_type(np.size(layer))
        # "take", as indexing a memory-mapped file this way takes several times as long.
        rows = np.asarray(layer)
        connected = rows.take(part.nodes, axis=0) if len(part.isolated) else rows
        yield Rows(
            np.asarray(connected, dtype=dtype),
            np.asarray(rows.take(part.isolated, axis=0), dtype=dtype),
        )
    if shape is None:
        raise _unfit(modality, n_nodes, "no layer")


def _unfit(modality: str, n_nodes: int, found: object) -> DataError:
    return DataError(
        expected=f"layers of modality {modality!r} that are all ({n_nodes}, d)",
        found=str(found),
        remedy="pass x^0 .. x^L of the model that was trained on this graph",
    )
