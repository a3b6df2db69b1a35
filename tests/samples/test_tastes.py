from __future__ import annotations

import numpy as np

from rednd_core.samples import tastes as module
from rednd_core.samples.catalogue import Catalogue
from rednd_core.samples.tastes import (
    ACTIVITY_MAX,
    ACTIVITY_MIN,
    COHORTS,
    LOOK_BOOST,
    NEWCOMER,
    REGULAR,
    STRAY_SHARE,
    STYLE_LEAK,
    UNSEEN,
    Tastes,
    admirers,
    draw_baskets,
    preference,
)
from rednd_core.samples.vocabulary import CATEGORIES, groups


def tiny():
    """Two users; items: liked look, liked style, same category, elsewhere."""
    catalogue = Catalogue(
        group=np.array([0, 0, 1, 5]),
        category=np.array([0, 0, 0, 1]),
        look=np.array([2, 3, 2, 2]),
        titles=("a", "b", "c", "d"),
        prices=np.ones(4),
    )
    tastes = Tastes(
        groups=np.array([[0, -1, -1], [0, 5, -1]]),
        looks=np.array([[2, -1, -1], [0, 2, -1]]),
        weights=np.array([[1.0, 0, 0], [0.25, 0.75, 0]]),
        activity=np.array([2, 4]),
        cohort=np.array([REGULAR, REGULAR]),
        popularity=np.array([1.0, 0.5, 1.0, 0.2]),
        new_arrivals=np.array([], dtype=int),
    )
    return catalogue, tastes


def test_preference_is_the_documented_formula():
    catalogue, tastes = tiny()
    own = 1 - STRAY_SHARE
    expected = [
        [
            1.0 * (own * LOOK_BOOST + STRAY_SHARE),
            0.5 * (own + STRAY_SHARE),
            1.0 * (own * STYLE_LEAK + STRAY_SHARE),
            0.2 * STRAY_SHARE,
        ],
        [
            1.0 * (own * 0.25 + STRAY_SHARE),
            0.5 * (own * 0.25 + STRAY_SHARE),
            1.0 * (own * 0.25 * STYLE_LEAK + STRAY_SHARE),
            0.2 * (own * 0.75 * LOOK_BOOST + STRAY_SHARE),
        ],
    ]
    np.testing.assert_allclose(preference(catalogue, tastes), expected, rtol=1e-12)


def test_first_draws_follow_the_weights():
    """20,000 first draws against the multinomial they should come from, within five sigma."""
    catalogue, tastes = tiny()
    n = 20_000
    many = Tastes(
        *(np.repeat(getattr(tastes, name)[:1], n, axis=0)
          for name in ("groups", "looks", "weights", "activity", "cohort")),
        popularity=tastes.popularity,
        new_arrivals=tastes.new_arrivals,
    )  # fmt: skip
    baskets = draw_baskets(np.random.default_rng(5), catalogue, many)
    share = np.bincount([basket[0] for basket in baskets], minlength=4) / n
    weights = preference(catalogue, tastes)[0]
    p = weights / weights.sum()
    assert (np.abs(share - p) < 5 * np.sqrt(p * (1 - p) / n)).all()


def test_forgotten_item_becomes_a_first_purchase_and_arrivals_stay_away():
    catalogue, tastes = tiny()
    one_each = Tastes(
        tastes.groups, tastes.looks, tastes.weights, np.array([1, 1]), tastes.cohort,
        tastes.popularity, new_arrivals=np.array([1]),
    )  # fmt: skip
    for seed in range(20):
        bought = np.concatenate(draw_baskets(np.random.default_rng(seed), catalogue, one_each))
        assert sorted(set(bought)) == [0, 2, 3]


def test_admirers_like_the_style_or_are_everyone_regular():
    catalogue, tastes = tiny()
    assert admirers(catalogue, tastes, 0).tolist() == [0, 1]
    assert admirers(catalogue, tastes, 3).tolist() == [1]
    assert admirers(catalogue, tastes, 2).tolist() == [0, 1]  # nobody likes group 1


def test_planted_users(world):
    tastes = world.tastes
    n_tastes = (tastes.groups >= 0).sum(axis=1)
    shares = np.bincount(n_tastes, minlength=4)[1:] / len(n_tastes)
    np.testing.assert_allclose(shares, module.N_TASTES_PROBABILITY, atol=0.06)
    np.testing.assert_allclose(tastes.weights.sum(axis=1), 1)
    assert ((tastes.weights > 0) == (tastes.groups >= 0)).all()
    assert ((tastes.looks >= 0) == (tastes.groups >= 0)).all()
    for row in tastes.groups:
        liked = row[row >= 0]
        assert len(set(liked)) == len(liked)


def test_further_tastes_stay_mostly_in_the_department(world):
    department = np.array([CATEGORIES[c].department for c, _ in groups()])
    liked = world.tastes.groups
    further = liked[:, 1:] >= 0
    same = department[liked[:, 1:]] == department[liked[:, :1]]
    assert abs(same[further].mean() - module.SAME_DEPARTMENT) < 0.06


def test_activity_and_popularity_are_power_laws(world):
    tastes = world.tastes
    regular = tastes.activity[tastes.cohort == REGULAR]
    assert regular.min() == ACTIVITY_MIN
    assert regular.max() <= ACTIVITY_MAX
    # P(activity >= 2 min) = 2^-exponent for a Pareto variable.
    assert abs((regular >= 2 * ACTIVITY_MIN).mean() - 2**-module.ACTIVITY_EXPONENT) < 0.06
    assert tastes.popularity.max() == 1.0
    by_rank = np.sort(tastes.popularity)[::-1]
    ranks = np.arange(600)
    slope = np.polyfit(np.log(ranks + module.POPULARITY_OFFSET), np.log(by_rank), 1)[0]
    assert abs(slope + module.POPULARITY_EXPONENT) < 1e-9


def test_cohorts(world):
    sizes = np.bincount(world.tastes.cohort, minlength=len(COHORTS))
    assert sizes.tolist() == [955, 40, 5]
    assert set(world.tastes.activity[world.tastes.cohort == NEWCOMER]) == {3, 4}
    assert set(world.tastes.activity[world.tastes.cohort == UNSEEN]) == {2}
