"""The item-item graph of a modality: cosine k nearest neighbours on the RAW features.

As in RedNⁿD (arXiv 2412.18962) and FREEDOM (arXiv 2211.06924): an item is among its own k neighbours,
rows are directed, weights are 1, and the row degree normalises both sides. The graphs of several
modalities are fused by one weight each (``engine.weighted_sum``).
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from rednd_core.errors import ConfigError
from rednd_core.graph.normalize import SparseMatrix, symmetric_normalize

_CHUNK_SCORES = 8_000_000  # similarities held at a time: 32 MB


def cosine_knn(features: NDArray[np.float32], knn_k: int) -> NDArray[np.int64]:
    """The k most cosine-similar rows of every row, itself included, exact.

    A zero row has cosine 0 with every row. Ties are broken arbitrarily, but a row always counts
    itself. Works through blocks of rows, so that n x n similarities are never held.

    Args:
        features: (n, dim).
        knn_k: neighbours a row, at least 1; cut to n.

    Returns:
        (n, min(knn_k, n)) row numbers, most similar first, the row itself in column 0.
    """
    import torch

    if knn_k < 1:
        raise ConfigError(expected="knn_k of at least 1", found=str(knn_k), remedy="raise knn_k")
    rows = torch.nn.functional.normalize(torch.from_numpy(np.ascontiguousarray(features)), dim=1)
    n_rows = len(rows)
    knn_k = min(knn_k, n_rows)
    chunk = max(1, _CHUNK_SCORES // max(n_rows, 1))
    neighbours = torch.empty((n_rows, knn_k), dtype=torch.int64)
    for start in range(0, n_rows, chunk):
        stop = min(start + chunk, n_rows)
        scores = rows[start:stop] @ rows.T
        # Rounding may put a duplicate of the row above the row itself; the definition does not.
        own = torch.arange(start, stop)
        scores[own - start, own] = 2.0
        neighbours[start:stop] = scores.topk(knn_k, dim=1).indices
    return neighbours.numpy()


def semantic_graph(features: NDArray[np.float32], knn_k: int) -> SparseMatrix:
    """Normalised kNN graph of one modality, D_row^-1/2 S D_row^-1/2, directed.

    Args:
        features: (n_items, dim), raw.
        knn_k: neighbours an item, itself included.

    Returns:
        (n_items, n_items).
    """
    neighbours = cosine_knn(features, knn_k)
    n_items, k = neighbours.shape
    ones = np.ones(n_items * k, dtype=np.float32)
    indptr = np.arange(0, n_items * k + 1, k)
    adjacency = sp.csr_array((ones, neighbours.ravel(), indptr), shape=(n_items, n_items))
    return symmetric_normalize(adjacency, symmetric=False)
