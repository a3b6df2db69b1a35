"""A map of layers that are still being trained: frame after frame on axes that do not jump.

Each frame is a pooled PCA of its own, so that it always shows the two directions in which the layers
differ most *now*. Within that plane the axes are free to turn and to flip from frame to frame without
anything having moved; they are turned back to match the frame before.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rednd_core.cosine import Array
from rednd_core.projection.pca import PooledPCA

PADDING = 1.05
LEAST_HALF_RANGE = 1e-3  # no zoom into the rounding of fully collapsed layers


@dataclass(frozen=True, eq=False)
class LiveMap:
    """One frame.

    Attributes:
        coords: (n_layers, n, 2) float32, centred on the mean of all points of all layers.
        components: (2, d) orthonormal axes.
        half_range: the axes run from minus to plus this. It only grows, so that points which draw
            together are seen to do so.
        explained: share of the variance of all layers' unit rows that the two axes carry.
    """

    coords: NDArray[np.float32]
    components: Array
    half_range: float
    explained: float


def live_map(layers: NDArray[np.float32], previous: LiveMap | None = None) -> LiveMap:
    """The next frame of ``layers`` (n_layers, n, d), oriented like ``previous``.

    The turn is the orthogonal 2 x 2 matrix Q that minimises ``|Q C - C_previous|`` for the axes C
    (Schönemann 1966). A frame of another d starts anew.
    """
    pca = PooledPCA()
    coords = pca.fit_transform(layers)
    axes, half_range = pca.components_, LEAST_HALF_RANGE
    if previous is not None and previous.components.shape == axes.shape:
        left, _, right = np.linalg.svd(previous.components @ axes.T)  # (2, 2)
        turn = left @ right
        axes, coords = turn @ axes, (coords @ turn.T).astype(np.float32)
        half_range = previous.half_range
    half_range = max(half_range, PADDING * float(np.abs(coords).max(initial=0.0)))
    return LiveMap(coords, axes, half_range, float(pca.explained_variance_ratio_.sum()))
