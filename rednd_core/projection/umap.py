"""UMAP fitted jointly over all layers: one layout, so that the panels compare.

UMAP draws neighbourhoods and cannot show a collapse: it spreads a collapsed layer out again, wider than
the healthy one. It is therefore never shown without the input's spread and MAD, and a PCA beside it.

McInnes, Healy and Melville, 2018 (arXiv 1802.03426); on a GPU, where cuML is installed: Nolet et al.
(arXiv 2008.00325), from the same neighbours, the same start and the same settings.
"""

from __future__ import annotations

import threading
import warnings
from dataclasses import dataclass
from functools import cache
from importlib import metadata

import numpy as np
from numpy.typing import NDArray

from rednd_core.cosine import unit_rows
from rednd_core.errors import ConfigError, DataError
from rednd_core.projection.knn import KNNGraph, nearest
from rednd_core.projection.pca import PooledPCA

# numba's thread pool and numpy's warning filters are global: one layout at a time in a process.
_LAYOUT_LOCK = threading.Lock()

CUML = ("cuml-cu13", "cuml-cu12", "cuml")
"""Names under which cuML is installed: for CUDA 13, for CUDA 12, by conda."""


@cache
def cuml_for_gpu() -> str | None:
    """cuML's distribution where it is installed and torch sees a GPU for it, else None."""
    for name in CUML:
        try:
            metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
        import torch

        return name if torch.cuda.is_available() else None
    return None


@dataclass(frozen=True)
class JointUMAP:
    """One UMAP layout of the unit rows of all layers stacked, from an exact cosine kNN graph.

    A node's copies in the other layers are among its neighbours, which holds the layers together and
    under-reports movement a little. Starts from the pooled PCA. The same ``random_state`` gives the
    same layout on the same machine.

    Args:
        n_neighbors: size of a neighbourhood, the node itself counted.
        min_dist: least distance of two points on the map, in map units, 0 to 1.
        n_epochs: passes of the optimiser.
        random_state: seed of the optimiser's draws.
    """

    n_neighbors: int = 15
    min_dist: float = 0.1
    n_epochs: int = 200
    random_state: int = 0

    def __post_init__(self) -> None:
        checks = (
            ("n_neighbors", self.n_neighbors, isinstance(self.n_neighbors, int), 2, 200),
            ("min_dist", self.min_dist, isinstance(self.min_dist, int | float), 0, 1),
            ("n_epochs", self.n_epochs, isinstance(self.n_epochs, int), 1, 10_000),
            ("random_state", self.random_state, isinstance(self.random_state, int), 0, 2**32 - 1),
        )
        for name, value, right_type, low, high in checks:
            if not right_type or not low <= value <= high:
                raise ConfigError(
                    expected=f"{name} between {low} and {high}",
                    found=repr(value),
                    remedy="change that setting of the projection",
                )

    def k(self, n_rows: int) -> int:
        """Neighbours used for ``n_rows`` stacked rows: fewer rows than neighbours lower it."""
        return min(self.n_neighbors, n_rows - 1)

    def fit_transform(
        self, layers: NDArray[np.float32], knn: KNNGraph | None = None
    ) -> NDArray[np.float32]:
        """Coordinates of stacked layers (n_layers, n, d), as (n_layers, n, 2) float32.

        Args:
            knn: the graph of the stacked rows (n_layers * n, :meth:`k`) if it is known already.
        """
        n_layers, n, d = layers.shape
        rows = layers.reshape(-1, d)  # (n_layers * n, d)
        k = self.k(len(rows))
        graph = knn or nearest(rows, k)
        if graph.indices.shape != (len(rows), k):  # umap-learn would ignore it in silence
            raise DataError(
                expected=f"a kNN graph of shape {(len(rows), k)}",
                found=f"one of shape {graph.indices.shape}",
                remedy="build it from the same stacked rows",
            )
        with _LAYOUT_LOCK:
            unit = unit_rows(rows.astype(np.float64)).astype(np.float32)
            layout = self._layout(unit, graph, self._start(layers))
        coords: NDArray[np.float32] = np.asarray(layout, dtype=np.float32)
        return coords.reshape(n_layers, n, 2)

    def _layout(
        self, rows: NDArray[np.float32], graph: KNNGraph, start: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Positions (m, 2) of unit rows (m, d), by cuML on a GPU or by umap-learn."""
        settings = {
            "n_neighbors": graph.indices.shape[1],
            "min_dist": self.min_dist,
            "n_epochs": self.n_epochs,
            "init": start,
            "random_state": self.random_state,
        }
        layout: NDArray[np.float32]
        if cuml_for_gpu():
            from cuml.manifold import UMAP

            knn = (graph.indices, graph.distances)
            layout = UMAP(**settings, precomputed_knn=knn, output_type="numpy").fit_transform(rows)
            return layout
        import umap

        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=r"precomputed_knn\[2\]")
            layout = umap.UMAP(
                **settings,
                n_jobs=1,  # a seeded layout runs on one thread anyway
                precomputed_knn=(graph.indices, graph.distances, None),
            ).fit_transform(rows)
        return layout

    def _start(self, layers: NDArray[np.float32]) -> NDArray[np.float32]:
        """Pooled PCA scaled to 10, with a jitter that parts identical rows; (n_layers * n, 2)."""
        coords = PooledPCA().fit_transform(layers).reshape(-1, 2)
        coords *= 10 / max(float(np.abs(coords).max()), 1e-30)
        jitter = np.random.default_rng(self.random_state).normal(scale=1e-3, size=coords.shape)
        return (coords + jitter).astype(np.float32)


def prewarm() -> None:
    """Compile UMAP's kernels on a few hundred random rows (several seconds, once a process).

    Meant for a background thread while the app starts.
    """
    rows = np.random.default_rng(0).normal(size=(1, 300, 8)).astype(np.float32)
    JointUMAP(n_epochs=11).fit_transform(rows)
