"""Every depth of a run: the layers that it stored, and those that propagation alone adds."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal, overload

import numpy as np
from numpy.typing import NDArray

from rednd_core.graph.bipartite import BipartiteGraph
from rednd_core.runs.layers import LayerIndex
from rednd_core.smoothness.depth import each_depth

Layer = NDArray[np.floating]
Vectors = Literal["layer", "readout"]

DEPTH = 16
"""Layers that a linear model is propagated on to: deep enough that it has collapsed."""
KEPT_BYTES = 256 << 20
"""Memory for the layers of one :class:`Depths`."""


def each_vector(
    stored: LayerIndex,
    graph: BipartiteGraph,
    view: Vectors,
    depth: int,
    modality: str | None = None,
) -> Iterator[Layer]:
    """The vectors of depth 0, 1, ..., each (N, d), one at a time.

    Args:
        stored: the layers of the run.
        view: the output of each layer, or what would score if propagation stopped there. Where no rule
            gives a readout, none is deeper than what the run recorded.
        depth: how far propagation goes on; below the depth of the run, the stored layers are all.
        modality: its vectors alone; None puts all modalities side by side.
    """
    modalities = list(stored) if modality is None else [modality]
    if view == "readout" and stored.recorded:
        yield from _side_by_side([stored.recorded[m] for m in modalities])
        return
    layers = to_depth([stored[m] for m in modalities], graph, depth)
    yield from layers if view == "layer" else stored.facts.readout.each(layers)


def n_vectors(stored: LayerIndex, view: Vectors, depth: int, modality: str | None = None) -> int:
    """How many vectors a node has in :func:`each_vector`."""
    modalities = list(stored) if modality is None else [modality]
    if view == "readout" and stored.recorded:
        return min(len(stored.recorded[m]) for m in modalities)
    return max(min(len(stored[m]) for m in modalities), depth + 1)


def to_depth(stacks: list[Sequence[Layer]], graph: BipartiteGraph, depth: int) -> Iterator[Layer]:
    """The layers of several modalities side by side, and those that propagation alone adds up to ``depth``.

    Args:
        stacks: [x^0, x^1, ...] of each modality. depth: below that of the stacks, these are all.
    """
    last, reached = None, -1
    for last in _side_by_side(stacks):
        reached += 1
        yield last
    if last is not None and reached < depth:
        yield from islice(each_depth(last, graph, depth - reached), 1, None)


def _side_by_side(stacks: list[Sequence[Layer]]) -> Iterator[Layer]:
    """Depth by depth, as far as every modality goes."""
    if len(stacks) == 1:  # no copy of a memory-mapped array
        yield from stacks[0]
        return
    for parts in zip(*stacks, strict=False):
        yield np.hstack(parts)


@dataclass(eq=False)
class Depths(Sequence[Layer]):
    """Vectors of many depths, computed when they are asked for.

    Depths that are asked for in ascending order are computed once; memory holds the latest of them.

    Attributes:
        begin: begins again at depth 0, see :func:`each_vector`.
        n: how many depths there are.
        kept_bytes: memory for depths that were computed.
    """

    begin: Callable[[], Iterator[Layer]]
    n: int
    kept_bytes: int = KEPT_BYTES
    _stream: Iterator[Layer] = field(default_factory=lambda: iter(()), init=False)
    _next: int = field(default=0, init=False)
    _kept: OrderedDict[int, Layer] = field(default_factory=OrderedDict, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def __len__(self) -> int:
        return self.n

    @overload
    def __getitem__(self, depth: int) -> Layer: ...
    @overload
    def __getitem__(self, depth: slice) -> list[Layer]: ...
    def __getitem__(self, depth: int | slice) -> Layer | list[Layer]:
        if isinstance(depth, slice):
            return [self[k] for k in range(*depth.indices(self.n))]
        k = depth + self.n if depth < 0 else depth
        if not 0 <= k < self.n:
            raise IndexError(depth)
        with self._lock:
            if k not in self._kept:
                self._go_to(k)
            self._kept.move_to_end(k)
            return self._kept[k]

    def _go_to(self, k: int) -> None:
        if k < self._next or self._next == 0:
            self._stream, self._next = self.begin(), 0
        while self._next <= k:
            self._kept[self._next] = next(self._stream)
            self._next += 1
            while len(self._kept) > 1 and self._bytes() > self.kept_bytes:
                self._kept.popitem(last=False)

    def _bytes(self) -> int:
        """Memory-mapped arrays count as none."""
        return sum(
            layer.nbytes for layer in self._kept.values() if not isinstance(layer, np.memmap)
        )
