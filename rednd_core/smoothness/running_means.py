"""A stack of layers, one depth at a time, with what scores and the mean of the layers beside each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat, zip_longest
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rednd_core.cosine import Matrix
from rednd_core.errors import DataError
from rednd_core.smoothness.precision import row_type
from rednd_core.smoothness.view import ConnectedPart, LayerView

Layer = NDArray[np.floating]


class Rows(NamedTuple):
    """Of one matrix over all nodes: connected (n, d) and isolated (N - n, d), of :func:`row_type`."""

    connected: Matrix
    isolated: Matrix


@dataclass
class Depth:
    """Layer k, what would score at that depth, and the mean of the layers 1..k.

    Attributes:
        k: from 0.
        rows: of layer k. scoring: of z^k; the same object where the layer itself scores, None where
            readouts are not wanted.
        later: sum of the layers 1..k; None at depth 0, where no mean is wanted, and from the first layer
            of another width on.
    """

    k: int
    part: ConnectedPart
    rows: Rows
    scoring: Rows | None
    later: Rows | None

    @cached_property
    def layer(self) -> LayerView:
        return LayerView(self.rows.connected, self.part, self.rows.isolated)

    @cached_property
    def readout(self) -> LayerView | None:
        """z^k; the view of the layer where the layer itself scores."""
        if self.scoring is None:
            return None
        if self.scoring is self.rows:
            return self.layer
        return LayerView(self.scoring.connected, self.part, self.scoring.isolated)

    @cached_property
    def neighbours(self) -> LayerView | None:
        """Mean of the layers 1..k, which is what RedNⁿD's alignment loss compares x^0 with."""
        if self.later is None:
            return None
        connected, isolated = (rows / self.k for rows in self.later)
        return LayerView(connected, self.part, isolated)


def each_depth_of(
    stack: Iterable[Layer],
    readouts: Iterable[Layer] | None,
    modality: str,
    part: ConnectedPart,
    *,
    means: bool,
) -> Iterator[Depth]:
    """x^0 .. x^L with z^0 .. z^L, one depth after the other; memory holds one of each, and a sum.

    Raises:
        DataError: no layer, one of another number of rows, or more readouts than layers, or fewer.
    """
    pairs: Iterable[tuple[Layer | None, Layer | None]] = (
        zip(stack, repeat(None)) if readouts is None else zip_longest(stack, readouts)
    )
    later: Rows | None = None
    first_width, k = 0, -1
    for k, (layer, scored) in enumerate(pairs):
        if layer is None or (scored is None and readouts is not None):
            raise _unfit(modality, part, "another number of readouts")
        rows = _rows_of(layer, modality, part)
        width = rows.connected.shape[1]
        first_width = first_width or width
        means = means and width == first_width
        if k:
            later = _added(later, rows) if means else None
        scoring = None
        if scored is not None:
            scoring = rows if scored is layer else _rows_of(scored, modality, part)
        yield Depth(k, part, rows, scoring, later)
    if k < 0:
        raise _unfit(modality, part, "no layer")


def _added(total: Rows | None, rows: Rows) -> Rows:
    return rows if total is None else Rows(*map(np.add, total, rows))


def _rows_of(layer: Layer, modality: str, part: ConnectedPart) -> Rows:
    if np.ndim(layer) != 2 or len(layer) != len(part.nodes) + len(part.isolated):
        raise _unfit(modality, part, np.shape(layer))
    dtype = row_type(np.size(layer))
    # "take", as indexing a memory-mapped file this way takes several times as long.
    rows = np.asarray(layer)
    connected = rows.take(part.nodes, axis=0) if len(part.isolated) else rows
    return Rows(
        np.asarray(connected, dtype=dtype),
        np.asarray(rows.take(part.isolated, axis=0), dtype=dtype),
    )


def _unfit(modality: str, part: ConnectedPart, found: object) -> DataError:
    n_nodes = len(part.nodes) + len(part.isolated)
    return DataError(
        expected=f"layers of modality {modality!r} that all have {n_nodes} rows, and a readout for each",
        found=str(found),
        remedy="pass x^0 .. x^L of the model that was trained on this graph",
    )
