"""What deeper propagation would do to embeddings that are already trained."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from rednd_core.errors import ConfigError
from rednd_core.graph.bipartite import BipartiteGraph
from rednd_core.smoothness.precision import row_type

MAX_DEPTH = 32


def propagate_depth(
    x0: NDArray[np.floating], graph: BipartiteGraph, depth: int
) -> list[NDArray[np.floating]]:
    """[x^0, A-hat x^0, ..., A-hat^depth x^0], each (N, d) of :func:`~.precision.row_type`.

    These are the layers of a model whose propagation is linear (LightGCN and its kin), at any depth.
    """
    return list(each_depth(x0, graph, depth))


def each_depth(
    x0: NDArray[np.floating], graph: BipartiteGraph, depth: int
) -> Iterator[NDArray[np.floating]]:
    """:func:`propagate_depth` one layer at a time, for graphs of which memory holds a few layers."""
    if not 0 <= depth <= MAX_DEPTH:
        raise ConfigError(
            expected=f"a depth between 0 and {MAX_DEPTH}",
            found=str(depth),
            remedy="choose a depth in that range",
        )
    dtype = row_type(np.size(x0))
    norm_adj = graph.norm_adj.to_scipy(dtype)
    layer = np.asarray(x0, dtype=dtype)
    yield layer
    for _ in range(depth):
        layer = np.asarray(norm_adj @ layer)
        yield layer
