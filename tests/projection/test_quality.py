from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from sklearn.manifold import trustworthiness

from rednd_core.projection.quality import (
    COLLAPSE_MAD,
    fidelity,
    is_collapsed,
    layer_quality,
    spread,
)


def test_equals_sklearn_both_ways():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 9))
    coords = (x[:, :2] + 0.3 * rng.normal(size=(120, 2))).astype(np.float32)
    trust, cont = fidelity(x, coords, 7)
    assert trust == pytest.approx(trustworthiness(x, coords, n_neighbors=7, metric="cosine"))
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    distances = 1 - unit @ unit.T
    np.fill_diagonal(distances, 0)
    reverse = _continuity_by_loops(distances, coords, 7)
    assert cont == pytest.approx(reverse)
    assert trust != pytest.approx(cont, abs=1e-3)


def test_a_picture_by_pca_does_not_load_torch():
    code = (
        "import sys, numpy as np; from rednd_core.projection import project;"
        "x = np.random.default_rng(0).normal(size=(40, 4)).astype('float32');"
        "project([x, x[::-1]], 'pca', n_users=20); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def _continuity_by_loops(distances, coords, k):
    n = len(coords)
    lost = 0
    for i in range(n):
        near = np.argsort(distances[i] + 10 * (np.arange(n) == i))[:k]
        flat = np.hypot(*(coords.astype(np.float64) - coords[i].astype(np.float64)).T)
        for j in near:
            rank = sum(flat[m] < flat[j] for m in range(n) if m != i) + 1
            lost += max(rank - k, 0)
    return 1 - 2 * lost / (n * k * (2 * n - 3 * k - 1))


def test_a_perfect_map_and_a_shuffled_one():
    angles = np.random.default_rng(1).uniform(0, 2 * np.pi, 100)
    x = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    assert fidelity(x, x.astype(np.float32), 5) == (1.0, 1.0)
    shuffled = np.random.default_rng(2).permutation(x).astype(np.float32)
    assert max(fidelity(x, shuffled, 5)) < 0.65


def test_zero_rows_are_counted_and_left_out():
    layer = np.array([[1, 0], [0, 1], [0, 0], [1, 0], [0, 1], [0, 0]], dtype=np.float32)
    is_user = np.array([True, True, True, False, False, False])
    found = layer_quality(layer, np.zeros((6, 2), "f"), is_user, np.arange(6))
    assert found["n_zero"] == 2
    assert found["n"] == found["n_points"] == 6
    assert found["mad_users"] == found["mad_items"] == pytest.approx(1.0)
    assert found["mad"] == pytest.approx(4 / 6)
    assert found["spread"] == pytest.approx(0.5**0.5)
    assert found["k"] == 2


def test_sides_without_enough_rows_have_no_mad():
    found = layer_quality(
        np.eye(3, dtype="f"), np.eye(3, 2, dtype="f"), np.array([True, False, False]), np.arange(3)
    )
    assert found["mad_users"] is None
    assert found["mad_items"] == 1.0


def test_two_rays_are_a_collapse_although_the_mad_over_both_is_large():
    rng = np.random.default_rng(0)
    is_user = np.arange(40) < 20
    layer = np.where(is_user[:, None], [1.0, 0.0], [0.0, 1.0]) + 1e-3 * rng.normal(size=(40, 2))
    coords = layer.astype(np.float32)
    blind = layer_quality(layer, coords, None, np.arange(40))
    sided = layer_quality(layer, coords, is_user, np.arange(40))
    assert blind["mad"] > 0.4
    assert not is_collapsed(blind)
    assert is_collapsed(sided)


def test_threshold_is_exclusive():
    assert not is_collapsed({"mad": COLLAPSE_MAD})
    assert is_collapsed({"mad": COLLAPSE_MAD - 1e-9})
    assert not is_collapsed({"mad": None})


def test_spread_literals():
    assert spread(np.array([[1.0, 0.0], [-1.0, 0.0]])) == 1.0
    assert spread(np.array([[1.0, 0.0], [1.0, 0.0]])) == 0.0
    assert spread(np.zeros((0, 2))) is None
