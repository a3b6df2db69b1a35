from __future__ import annotations

import numpy as np
import pytest

from rednd_core.projection.rows import pair_mad, spread, unit_rows


def test_unit_rows_keep_zero_rows_and_survive_extreme_norms():
    x = np.array([[3, 4], [0, 0], [3e-30, 4e-30], [-3e30, 4e30]], dtype=np.float32)
    expected = [[0.6, 0.8], [0, 0], [0.6, 0.8], [-0.6, 0.8]]
    np.testing.assert_allclose(unit_rows(x), expected, atol=1e-7)
    assert unit_rows(x).dtype == np.float64


def test_unit_rows_do_not_change_their_input():
    x = np.array([[3.0, 4.0]])
    unit_rows(x)
    assert x.tolist() == [[3.0, 4.0]]


def test_pair_mad_equals_the_mean_over_pairs():
    unit = unit_rows(np.random.default_rng(0).normal(size=(20, 5)))
    pairs = [1 - unit[i] @ unit[j] for i in range(20) for j in range(20) if i != j]
    assert pair_mad(unit) == pytest.approx(np.mean(pairs), rel=1e-12)


def test_pair_mad_is_exact_near_collapse():
    angle = 1e-7
    unit = np.array([[1.0, 0.0], [np.cos(angle), np.sin(angle)]])
    assert pair_mad(unit) == pytest.approx(angle**2 / 2, rel=1e-6)


def test_spread_literals():
    assert spread(np.array([[1.0, 0.0], [-1.0, 0.0]])) == 1.0
    assert spread(np.array([[1.0, 0.0], [1.0, 0.0]])) == 0.0
    assert spread(np.zeros((0, 2))) is None
    assert pair_mad(np.ones((1, 2))) is None
