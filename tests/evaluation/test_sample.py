"""A sample of users keeps all their pairs, and is everything where everything is affordable."""

from __future__ import annotations

import numpy as np
import pytest

from rednd_core.data.schema import Interactions
from rednd_core.evaluation.sample import mean_ci, sample_held_out


@pytest.fixture
def held_out() -> Interactions:
    users = np.repeat(np.arange(0, 200, 2), 3)
    return Interactions(users, np.tile(np.arange(3), 100))


def test_within_the_budget_nothing_is_left_out(held_out: Interactions) -> None:
    assert sample_held_out(held_out, 50, most_scores=100 * 50) is held_out


def test_beyond_it_whole_users_are_left_out(held_out: Interactions) -> None:
    kept = sample_held_out(held_out, 50, most_scores=100 * 50 - 1)
    users, counts = np.unique(kept.users, return_counts=True)
    assert len(users) == 99
    assert (counts == 3).all()
    again = sample_held_out(held_out, 50, most_scores=100 * 50 - 1)
    np.testing.assert_array_equal(kept.users, again.users)
    other = sample_held_out(held_out, 50, most_scores=30 * 50, seed=1)
    first = sample_held_out(held_out, 50, most_scores=30 * 50)
    assert set(other.users) != set(first.users)


def test_one_user_is_always_left(held_out: Interactions) -> None:
    assert len(sample_held_out(held_out, 10**6, most_scores=1)) == 3


def test_every_user_is_as_likely(held_out: Interactions) -> None:
    draws = [sample_held_out(held_out, 1, 20, seed).users for seed in range(200)]
    counts = np.bincount(np.concatenate(draws))[::2] / 3  # each is expected 40 times
    assert counts.min() > 15
    assert counts.max() < 70


@pytest.mark.parametrize("n", [30, 150])
def test_the_interval_holds_the_mean_of_all_in_95_of_100_draws(n: int) -> None:
    rng = np.random.default_rng(0)
    everyone = rng.beta(0.5, 2, size=200)
    hits = 0
    for _ in range(2000):
        drawn = rng.choice(everyone, n, replace=False)
        hits += abs(drawn.mean() - everyone.mean()) <= mean_ci(drawn, 200)
    assert 0.925 < hits / 2000 < 0.965


def test_no_interval_where_all_are_drawn_or_one() -> None:
    assert np.isnan(mean_ci(np.array([0.0, 1.0]), 2))
    assert np.isnan(mean_ci(np.array([1.0]), 2))
    assert mean_ci(np.array([1.0, 1.0]), 5) == 0
