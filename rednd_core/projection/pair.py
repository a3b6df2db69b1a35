"""The same nodes in two models, on one pair of axes.

Aligning two finished maps fits only two directions each, and the two models may have put different ones
first. So the whole spaces are aligned, and both are drawn on the axes of the first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rednd_core.cosine import unit_rows
from rednd_core.projection.align import procrustes
from rednd_core.projection.facade import quality_points
from rednd_core.projection.pca import PooledPCA
from rednd_core.projection.quality import LayerQuality, is_collapsed, layer_quality


@dataclass(frozen=True)
class AlignedPair:
    """Two models' maps of the same nodes.

    Attributes:
        coords: (2, n, 2) float32 on the first model's principal axes.
        quality, collapsed: as ``Projection`` has them, for the two models.
        residual: difference left by the alignment over the first one's extent, in all dimensions.
        map_residual: the same for what the map shows.
    """

    coords: NDArray[np.float32]
    quality: tuple[LayerQuality, LayerQuality]
    collapsed: tuple[bool, bool]
    residual: float
    map_residual: float


def aligned_pair(first: ArrayLike, second: ArrayLike, is_user: NDArray[np.bool_]) -> AlignedPair:
    """PCA of ``first``, and ``second`` turned onto it by orthogonal Procrustes, without scaling.

    Args:
        first, second: (n, d) and (n, d') rows of the same nodes, compared by direction. The narrower
            space is padded with zeros.
        is_user: (n,).

    Raises:
        DataError: different numbers of rows, or fewer than 2.
    """
    one, two = (unit_rows(np.asarray(x, dtype=np.float64)) for x in (first, second))
    d = max(one.shape[1], two.shape[1])
    one, two = (np.pad(rows, ((0, 0), (0, d - rows.shape[1]))) for rows in (one, two))
    alignment = procrustes(two, one)
    pca = PooledPCA()
    own = pca.fit_transform(one[None].astype(np.float32))[0]
    turned = ((alignment.apply(two) - pca.mean_) @ pca.components_.T).astype(np.float32)
    points = quality_points(len(one))
    quality = (
        layer_quality(one, own, is_user, points),
        layer_quality(two, turned, is_user, points),
    )
    extent = float(np.linalg.norm(own - own.mean(axis=0)))
    return AlignedPair(
        coords=np.stack([own, turned]),
        quality=quality,
        collapsed=(is_collapsed(quality[0]), is_collapsed(quality[1])),
        residual=alignment.residual,
        map_residual=float(np.linalg.norm(turned - own)) / extent if extent > 0 else 0.0,
    )
