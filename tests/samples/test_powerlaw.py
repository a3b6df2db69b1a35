"""Degree sequences that sum as asked and fall as the law says."""

from __future__ import annotations

import numpy as np
import pytest

from rednd_core.errors import ConfigError
from rednd_core.samples.powerlaw import activity, popularity


@pytest.mark.parametrize(
    ("n", "total", "most"), [(1, 1, 1), (10, 10, 5), (10, 50, 5), (10, 49, 5), (1000, 20_001, 300)]
)
def test_sums_and_bounds(n, total, most):
    degrees = activity(n, total, 2.5, most)
    assert degrees.sum() == total
    assert (degrees.min() >= 1, degrees.max() <= most) == (True, True)
    assert len(degrees) == n


def test_the_tail_has_the_exponent():
    """P(D >= d) ~ d^-(exponent - 1): the slope of the survival function on log axes."""
    degrees = np.sort(activity(200_000, 4_000_000, 2.5, 10**6))[::-1]
    ranks = np.unique(np.geomspace(10, 100_000, 40).astype(int))
    slope = np.polyfit(np.log(degrees[ranks]), np.log(ranks + 0.5), 1)[0]
    assert slope == pytest.approx(-1.5, abs=0.03)


@pytest.mark.parametrize("total", [9, 51])
def test_impossible_sums(total):
    with pytest.raises(ConfigError, match=f"between 10 and 50 interactions.*found {total}"):
        activity(10, total, 2.5, 5)


def test_popularity_literal():
    np.testing.assert_allclose(popularity(3, 1.0, 2.0), np.array([6, 4, 3]) / 13, rtol=1e-15)
