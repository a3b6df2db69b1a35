"""Ranks against a full SVD, including nearly collapsed matrices."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rednd_core.smoothness.rank import effective_rank, numerical_rank, singular_values


def naive_ranks(x: np.ndarray) -> tuple[float, float]:
    sigma = np.linalg.svd(x, compute_uv=False)
    shares = [s / sigma.sum() for s in sigma if s > 0]
    entropy = -sum(p * math.log(p) for p in shares)
    return math.exp(entropy), float((sigma**2).sum() / sigma[0] ** 2)


@pytest.mark.parametrize("decay", [0, 2, 6, 12])
def test_ranks_equal_those_of_the_svd(rng, decay):
    """Singular values that fall over 0 to 12 decades; from 4 on the Gram matrix cannot see them."""
    x = rng.standard_normal((500, 16)) * np.logspace(0, -decay, 16)
    effective, numerical = naive_ranks(x)
    values = singular_values(x)
    assert effective_rank(values) == pytest.approx(effective, rel=1e-9)
    assert numerical_rank(values) == pytest.approx(numerical, rel=1e-9)
    assert np.all(np.diff(values) <= 0)


def test_ranks_of_known_matrices():
    identity = singular_values(np.eye(6) * 3)
    assert effective_rank(identity) == pytest.approx(6, rel=1e-12)
    assert numerical_rank(identity) == pytest.approx(6, rel=1e-12)
    one_direction = singular_values(np.outer(np.arange(1.0, 9), [1.0, 2, 3]))
    assert effective_rank(one_direction) == pytest.approx(1, abs=1e-12)
    assert numerical_rank(one_direction) == pytest.approx(1, abs=1e-12)
    assert numerical_rank(np.array([2.0, 1.0])) == 1.25


def test_fewer_rows_than_columns(rng):
    x = rng.standard_normal((3, 8))
    assert effective_rank(singular_values(x)) == pytest.approx(naive_ranks(x)[0], rel=1e-9)
    assert effective_rank(singular_values(x[:1])) == pytest.approx(1, rel=1e-12)


def test_a_zero_or_empty_matrix_has_no_rank():
    for x in (np.zeros((5, 3)), np.empty((0, 3))):
        assert math.isnan(effective_rank(singular_values(x)))
        assert math.isnan(numerical_rank(singular_values(x)))
