"""The measures for layers of any origin: arrays and a list of edges in, one table out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rednd_core.data.schema import Interactions
from rednd_core.errors import DataError
from rednd_core.graph.bipartite import bipartite_graph
from rednd_core.smoothness.report import measure_layers

Layers = Sequence[Any]
"""x^0 .. x^L as arrays or tensors, each (N, d)."""


def measure(
    layers: Layers | Mapping[str, Layers],
    edges: Any,
    n_users: int,
    *,
    measures: Collection[str] | None = None,
) -> pd.DataFrame:
    """How alike the rows of layers are that any program has made.

    Args:
        layers: x^0 .. x^L, each (N, d), arrays or tensors; users first, item i is row ``n_users + i``. Or
            modality -> such layers.
        edges: (2, n_edges) row numbers of the two ends of every train edge, in any order; an edge may stand
            there once or in both directions, as in PyG's ``edge_index``.
        n_users: rows that are users.
        measures: names from docs/measures.md; None for all.

    Returns:
        The table of :func:`rednd_core.smoothness.measure_layers`: a row for each modality ("id" where none
        is named), layer, side and measure.

    Raises:
        DataError: no layers, an edge that does not join a user and an item, or layers of the wrong shape or
            with numbers that are not finite.
        ConfigError: an unknown measure.
    """
    stacks = layers if isinstance(layers, Mapping) else {"id": layers}
    arrays = {modality: [_array(x) for x in stack] for modality, stack in stacks.items()}
    first = next((x for stack in arrays.values() for x in stack), None)
    if first is None or first.ndim != 2 or not 0 < n_users < len(first):
        raise DataError(
            expected=f"layers with a row for each of {n_users} users, then one for each item",
            found="no layer" if first is None else f"a layer of shape {first.shape}",
            remedy="pass x^0 .. x^L as matrices, users first, and the number of users",
        )
    n_items = len(first) - n_users
    graph = bipartite_graph(_pairs(_array(edges), n_users, n_items), n_users, n_items)
    return measure_layers(arrays, graph, measures=measures)


def _array(values: Any) -> NDArray[Any]:
    """An array, or a tensor of any device and type, as an array."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        if values.is_floating_point() and values.dtype.itemsize < 4:  # NumPy has no bfloat16
            values = values.float()
    return np.asarray(values)


def _pairs(edges: NDArray[Any], n_users: int, n_items: int) -> Interactions:
    """Every edge once, as a user and an item."""
    n_nodes = n_users + n_items
    if edges.ndim != 2 or len(edges) != 2 or edges.dtype.kind not in "iu" or not edges.size:
        raise DataError(
            expected="edges as whole numbers of the shape (2, n_edges)",
            found=f"{edges.dtype} of shape {edges.shape}",
            remedy="pass the row numbers of both ends of every edge",
        )
    low, high = edges.min(axis=0).astype(np.int64), edges.max(axis=0).astype(np.int64)
    wrong = (low < 0) | (low >= n_users) | (high < n_users) | (high >= n_nodes)
    if wrong.any():
        at = int(wrong.argmax())
        raise DataError(
            expected=f"edges between a user (0 to {n_users - 1}) and an item ({n_users} to {n_nodes - 1})",
            found=f"edge {at} between {low[at]} and {high[at]}",
            remedy="add n_users to the numbers of items",
        )
    users, items = np.divmod(np.unique(low * n_items + (high - n_users)), n_items)
    return Interactions(users, items)
