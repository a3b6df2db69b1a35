"""The item-item graph of a modality: cosine k nearest neighbours on the RAW features.

As in RedNⁿD (arXiv 2412.18962) and FREEDOM (arXiv 2211.06924): an item is among its own k neighbours,
rows are directed, weights are 1, and the row degree normalises both sides. The graphs of several
modalities are fused by one weight each (``propagator.weighted_sum``).
"""

from __future__ import annotations

import logging
from dataclasses import asdict

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from rednd_core.cache import ArrayCache, Arrays, content_key, library_versions
from rednd_core.errors import ConfigError
from rednd_core.graph.nearest import Neighbours, approximate_nearest, exact_nearest
from rednd_core.graph.normalize import SparseMatrix, symmetric_normalize

EXACT_ROWS = 200_000
"""More rows than this are searched by an approximate index: n^2 similarities take too long."""
CACHED_ROWS = 2_000
"""From so many rows on a search takes longer than a look into a cache: a second for 7,000 rows."""

logger = logging.getLogger(__name__)


def cosine_knn(
    features: NDArray[np.float32], knn_k: int, cache: ArrayCache | None = None
) -> Neighbours:
    """The k most cosine-similar rows of every row, itself included.

    Exact to ``EXACT_ROWS`` rows. Above, found by an approximate index, whose recall on a sample of rows
    is measured against the exact neighbours and logged.

    A zero row has cosine 0 with every row. Ties are broken arbitrarily, but a row always counts itself.

    Args:
        features: (n, dim).
        knn_k: neighbours a row, at least 1; cut to n.
        cache: where neighbours of these features are looked up and kept, from ``CACHED_ROWS`` rows on.

    Returns:
        ``rows`` (n, min(knn_k, n)), most similar first, the row itself in column 0.
    """
    if knn_k < 1:
        raise ConfigError(expected="knn_k of at least 1", found=str(knn_k), remedy="raise knn_k")
    if cache is None or len(features) < CACHED_ROWS:
        return _search(features, knn_k)
    versions = library_versions("torch", "pynndescent")
    key = content_key("cosine-knn", [features], {"k": knn_k, "exact": EXACT_ROWS}, versions)
    shape = len(features), min(knn_k, len(features))
    known = _read(cache.get(key), shape)
    if known is None:
        known = _search(features, knn_k)
        cache.put(key, {name: np.asarray(value) for name, value in asdict(known).items()})
    return known


def _search(features: NDArray[np.float32], knn_k: int) -> Neighbours:
    if len(features) <= EXACT_ROWS:
        return exact_nearest(features, knn_k)
    found = approximate_nearest(features, knn_k)
    logger.warning("%s", found.sentence)
    return found


def _read(arrays: Arrays | None, shape: tuple[int, int]) -> Neighbours | None:
    """What a cache has; None where it has nothing, or nothing that can be the neighbours of ``shape``."""
    if arrays is None or set(arrays) != {"rows", "recall", "n_sampled"}:
        return None
    rows = arrays["rows"]
    fits = rows.shape == shape and rows.dtype == np.int64 and rows.size
    if not fits or not 0 <= rows.min() <= rows.max() < shape[0]:
        return None
    return Neighbours(rows, float(arrays["recall"]), int(arrays["n_sampled"]))


def semantic_graph(
    features: NDArray[np.float32], knn_k: int, cache: ArrayCache | None = None
) -> SparseMatrix:
    """Normalised kNN graph of one modality, D_row^-1/2 S D_row^-1/2, directed.

    Args:
        features: (n_items, dim), raw.
        knn_k: neighbours an item, itself included.
        cache: see :func:`cosine_knn`.

    Returns:
        (n_items, n_items).
    """
    neighbours = cosine_knn(features, knn_k, cache).rows
    n_items, k = neighbours.shape
    ones = np.ones(n_items * k, dtype=np.float32)
    indptr = np.arange(0, n_items * k + 1, k)
    adjacency = sp.csr_array((ones, neighbours.ravel(), indptr), shape=(n_items, n_items))
    return symmetric_normalize(adjacency, symmetric=False)
