"""Unit rows and MAD against plain forms. More of MAD, near collapse, is in tests/smoothness."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rednd_core.cosine import mean_cosine, pair_mad, unit_rows


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_unit_rows_keep_zero_rows_and_survive_extreme_norms(dtype):
    x = np.array([[3, 4], [0, 0], [3e-30, 4e-30], [-3e30, 4e30], [3, -4]], dtype=dtype)
    if dtype == np.float64:
        x[2:4] *= [[1e-270], [1e270]]
    expected = [[0.6, 0.8], [0, 0], [0.6, 0.8], [-0.6, 0.8], [0.6, -0.8]]
    with np.errstate(over="ignore"):  # of the squares, which is what the rule is for
        found = unit_rows(x)
    np.testing.assert_allclose(found, expected, atol=1e-7)
    assert found.dtype == dtype


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_unit_rows_are_those_of_the_plain_form(dtype):
    x = np.random.default_rng(0).normal(size=(50, 7)).astype(dtype)
    plain = [[value / math.sqrt(sum(v * v for v in row)) for value in row] for row in x.tolist()]
    np.testing.assert_allclose(unit_rows(x), plain, rtol=1e-5 if dtype == np.float32 else 1e-14)


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


def test_mean_cosine_leaves_zero_rows_out():
    assert mean_cosine([[1.0, 0], [0, 0], [0, 2.0], [3.0, 0]]) == pytest.approx(1 / 3)
    assert mean_cosine([[1.0, 0], [0, 0]]) is None
