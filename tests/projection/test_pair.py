from __future__ import annotations

import numpy as np
import pytest

from rednd_core.errors import DataError
from rednd_core.projection.pair import aligned_pair

IS_USER = np.arange(60) < 35


def cloud(d: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(60, d)) * np.linspace(3, 0.5, d)


def test_a_rotated_copy_lies_on_the_original() -> None:
    x = cloud(6)
    rotation = np.linalg.qr(np.random.default_rng(1).normal(size=(6, 6)))[0]
    pair = aligned_pair(x, 5 * x @ rotation, IS_USER)
    np.testing.assert_allclose(pair.coords[1], pair.coords[0], atol=1e-5)
    assert pair.residual < 1e-6
    assert pair.map_residual < 1e-5
    assert pair.quality[0]["mad_users"] == pytest.approx(pair.quality[1]["mad_users"])


def test_spaces_of_different_width_can_be_compared() -> None:
    x = cloud(4)
    embedded = x @ np.linalg.qr(np.random.default_rng(2).normal(size=(7, 4)))[0].T
    for pair in (aligned_pair(x, embedded, IS_USER), aligned_pair(embedded, x, IS_USER)):
        assert pair.map_residual < 1e-5


def test_a_collapsed_second_model_stays_small_and_is_flagged() -> None:
    x = cloud(6)
    pair = aligned_pair(x, np.ones(6) + 0.01 * x, IS_USER)
    assert pair.collapsed == (False, True)
    assert pair.coords[1].std() < 0.2 * pair.coords[0].std()


def test_unrelated_models_leave_a_difference() -> None:
    pair = aligned_pair(cloud(6), cloud(6, seed=9), IS_USER)
    assert pair.residual > 0.5
    assert pair.map_residual > 0.2


def test_different_nodes_are_refused() -> None:
    with pytest.raises(DataError, match="same nodes"):
        aligned_pair(cloud(6), cloud(6)[:-1], IS_USER)
