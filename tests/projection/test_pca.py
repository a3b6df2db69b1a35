from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA

from rednd_core.cosine import unit_rows
from rednd_core.projection import PooledPCA, pca
from rednd_core.projection.quality import spread


@pytest.mark.parametrize("dense_dim", [1024, 4])
def test_equals_sklearn_on_the_pooled_unit_rows(layers, dense_dim, monkeypatch):
    monkeypatch.setattr(pca, "DENSE_DIM", dense_dim)
    stack = np.stack(layers)
    pooled = unit_rows(stack.reshape(-1, stack.shape[2]).astype(np.float64))
    oracle = PCA(n_components=2, svd_solver="full")
    expected = oracle.fit_transform(pooled)
    ours = PooledPCA()
    coords = ours.fit_transform(stack)
    signs = np.sign((ours.components_ * oracle.components_).sum(axis=1))
    np.testing.assert_allclose(coords.reshape(-1, 2), expected * signs, atol=1e-5)
    np.testing.assert_allclose(
        ours.explained_variance_ratio_, oracle.explained_variance_ratio_, rtol=1e-8
    )


def test_the_sign_is_fixed(layers):
    ours = PooledPCA()
    ours.fit_transform(np.stack(layers))
    for axis in ours.components_:
        assert axis[np.abs(axis).argmax()] > 0


def test_a_collapsed_layer_is_drawn_small(layers):
    coords = PooledPCA().fit_transform(np.stack(layers))
    drawn = [spread(flat.astype(np.float64)) for flat in coords]
    assert drawn[2] < 0.1 * drawn[0]


def test_norms_do_not_matter(layers):
    stack = np.stack(layers)
    shrunk = stack * np.float32(1e-3)
    np.testing.assert_allclose(
        PooledPCA().fit_transform(shrunk), PooledPCA().fit_transform(stack), atol=1e-5
    )


def test_degenerate_layers_stay_finite():
    alike = PooledPCA().fit_transform(np.ones((2, 5, 3), "f"))
    np.testing.assert_allclose(alike, 0, atol=1e-15)
    line = PooledPCA().fit_transform(np.array([[[1.0], [-1.0], [2.0]]], dtype=np.float32))
    assert np.isfinite(line).all()
    assert not line[..., 1].any()
