"""PCA on axes shared by all layers: the map in which a collapse is seen as a collapse.

scikit-learn's PCA (``svd_solver="covariance_eigh"``) is the tests' oracle and takes the same time for the
map, 10 ms on the shop and .16 s on Baby. It is not called here because its import takes 1.4 s of processor
time, which the first picture of a page would wait for.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rednd_core.cosine import Array, unit_rows

DENSE_DIM = 1024  # up to here the covariance is decomposed whole; beyond, only its leading axes


@dataclass
class PooledPCA:
    """The two leading axes of the unit rows of all layers together.

    One fit for all layers, so that positions and sizes compare between panels. Rows are normalised:
    a layer is drawn small because its directions agree, not because its norms shrank.

    Attributes (after fitting):
        mean_: (d,) mean of the pooled unit rows.
        components_: (2, d) orthonormal axes, the entry of largest magnitude of each positive.
        explained_variance_ratio_: (2,) shares of the pooled variance.
    """

    mean_: Array = field(init=False, repr=False)
    components_: Array = field(init=False, repr=False)
    explained_variance_ratio_: Array = field(init=False, repr=False)

    def fit_transform(self, layers: NDArray[np.float32]) -> NDArray[np.float32]:
        """Coordinates of stacked layers (n_layers, n, d), as (n_layers, n, 2) float32."""
        n_layers, n, d = layers.shape
        # (n_layers * n, d)
        rows: Array = np.asarray(unit_rows(layers.reshape(-1, d).astype(np.float64)))
        self.mean_ = rows.mean(axis=0)
        rows -= self.mean_
        variances, axes = _leading_axes(rows)
        signs = np.sign(axes[np.arange(2), np.abs(axes).argmax(axis=1)])
        self.components_ = axes * np.where(signs == 0, 1.0, signs)[:, None]
        total = float((rows**2).sum())
        self.explained_variance_ratio_ = variances / total if total > 0 else np.zeros(2)
        coords: NDArray[np.float32] = (rows @ self.components_.T).astype(np.float32)
        return coords.reshape(n_layers, n, 2)


def _leading_axes(rows: Array) -> tuple[Array, Array]:
    """Sums of squares (2,) and axes (2, d) of centred rows (m, d), largest first; d = 1 is padded."""
    d = rows.shape[1]
    if d <= DENSE_DIM:
        values, vectors = np.linalg.eigh(rows.T @ rows)
    else:
        from scipy.sparse.linalg import LinearOperator, eigsh

        gram = LinearOperator((d, d), matvec=lambda v: rows.T @ (rows @ v), dtype=np.float64)
        values, vectors = eigsh(gram, k=2, v0=np.ones(d))
    order = np.argsort(values)[::-1][:2]
    variances, axes = np.zeros(2), np.zeros((2, d))
    variances[: len(order)] = values[order].clip(min=0.0)
    axes[: len(order)] = vectors[:, order].T
    return variances, axes
