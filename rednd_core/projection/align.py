"""Two maps or two models side by side: turn one onto the other, and find who moved.

The axes of two trained models are arbitrary, so distances between their maps mean nothing before an
alignment, and movement is judged by neighbourhoods in the original spaces, never on the map.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rednd_core.cosine import Array
from rednd_core.errors import DataError
from rednd_core.projection.knn import nearest


@dataclass(frozen=True)
class Alignment:
    """A rotation (or reflection) between two centred point sets; the scale is kept.

    Attributes:
        rotation: (d, d) orthogonal.
        source_mean, target_mean: (d,) means of the common points.
        residual: RMS distance left over the target's RMS distance to its mean; 0 is a perfect fit.
    """

    rotation: Array
    source_mean: Array
    target_mean: Array
    residual: float

    def apply(self, points: ArrayLike) -> Array:
        """``points`` (..., d) of the source in the target's position."""
        moved: Array = (
            np.asarray(points, dtype=np.float64) - self.source_mean
        ) @ self.rotation + self.target_mean
        return moved


def procrustes(source: ArrayLike, target: ArrayLike) -> Alignment:
    """The rotation that brings ``source`` nearest to ``target``, both (n, d), row by row the same node.

    Minimises ``|(source - mean) Q - (target - mean)|`` over orthogonal Q, by the SVD of the cross
    product (Schönemann 1966). No scaling: a collapsed map must stay small beside a healthy one.

    Raises:
        DataError: different shapes, or fewer than 2 common rows.
    """
    a, b = np.asarray(source, dtype=np.float64), np.asarray(target, dtype=np.float64)
    if a.shape != b.shape or a.ndim != 2 or len(a) < 2:
        raise DataError(
            expected="two arrays (n, d) of the same nodes, n at least 2",
            found=f"shapes {a.shape} and {b.shape}",
            remedy="pass the rows of the nodes that both maps show",
        )
    a_mean, b_mean = a.mean(axis=0), b.mean(axis=0)
    left, _, right = np.linalg.svd((a - a_mean).T @ (b - b_mean))
    rotation = left @ right
    size = np.linalg.norm(b - b_mean)
    rest = np.linalg.norm((a - a_mean) @ rotation - (b - b_mean))
    return Alignment(rotation, a_mean, b_mean, float(rest / size) if size > 0 else float(rest > 0))


@dataclass(frozen=True)
class Movers:
    """Nodes by how much their neighbourhood changed.

    Attributes:
        order: (n,) row positions, the most changed first; ties by position.
        jaccard: (n,) overlap of the two neighbourhoods by row position: 1 kept, 0 replaced.
        k: size of the neighbourhoods.
    """

    order: NDArray[np.int64]
    jaccard: NDArray[np.float64]
    k: int


def movers(before: ArrayLike, after: ArrayLike, k: int = 15) -> Movers:
    """Rank nodes by the change of their k nearest nodes, by cosine in the ORIGINAL spaces.

    Args:
        before, after: (n, d) and (n, d') rows of the same n nodes; the dimensions may differ.
        k: neighbours compared, the node itself not counted; at most n - 1 are taken.

    Raises:
        DataError: different numbers of rows, or fewer than 3.
    """
    a, b = np.asarray(before), np.asarray(after)
    if len(a) != len(b) or len(a) < 3:
        raise DataError(
            expected="the same 3 or more nodes before and after",
            found=f"{len(a)} and {len(b)} rows",
            remedy="pass the rows of the nodes that both have",
        )
    k = min(k, len(a) - 1)
    near_a, near_b = nearest(a, k + 1).indices[:, 1:], nearest(b, k + 1).indices[:, 1:]
    common = np.zeros(len(a), dtype=np.int64)
    for column in near_a.T:
        common += (near_b == column[:, None]).any(axis=1)
    jaccard = common / (2 * k - common)
    return Movers(np.argsort(jaccard, kind="stable"), jaccard, k)
