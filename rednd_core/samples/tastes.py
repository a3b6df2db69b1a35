"""Planted tastes: who likes which styles, how popular items are, and which interactions follow.

The probability that user u takes item i next is proportional to

    w_ui = popularity_i * ((1 - stray) * sum_t weight_ut * affinity(taste_t, i) + stray)

where affinity is 1 in the taste's own style, ``LOOK_BOOST`` for the taste's favourite look in it (the
first words of the title: few buyers share one, so text tells more about it than purchases do),
``STYLE_LEAK`` in the other styles of the category and 0 elsewhere. Drawing without replacement from
w_u is done for all users at once with Gumbel keys: the largest n of log w + Gumbel noise, in falling
order, are n successive draws.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rednd_core.data.schema import IntArray
from rednd_core.samples.catalogue import Catalogue
from rednd_core.samples.vocabulary import CATEGORIES, N_LOOKS, groups

MAX_TASTES = 3
N_TASTES_PROBABILITY = (0.35, 0.40, 0.25)
SAME_DEPARTMENT = 0.65
"""Probability that a further taste stays in the department of the user's first one."""
STRAY_SHARE = 0.012
"""Weight of any item that no taste explains, against a taste's own style."""
STYLE_LEAK = 0.12
LOOK_BOOST = 8.0
POPULARITY_EXPONENT = 0.75
POPULARITY_OFFSET = 15.0
"""Popularity is (offset + rank)^-exponent: the offset keeps the first few items from owning the shop."""
ACTIVITY_MIN = 5
ACTIVITY_EXPONENT = 1.4
ACTIVITY_MAX = 90

REGULAR, NEWCOMER, UNSEEN = 0, 1, 2
COHORTS = ("regular", "newcomer", "unseen")
"""Newcomers have one or two train interactions, unseen users none."""


@dataclass(frozen=True)
class Tastes:
    """The planted side of the users and the items' popularity.

    Attributes:
        groups: liked taste groups, (n_users, MAX_TASTES), -1 where a user has fewer.
        looks: the favourite look of each liked group, same shape, -1 where there is none.
        weights: their shares, same shape, rows sum to 1.
        activity: planned number of interactions, (n_users,).
        cohort: index into ``COHORTS``, (n_users,).
        popularity: relative appeal, (n_items,), power law, largest value 1.
        new_arrivals: items that only held-out interactions know, sorted.
    """

    groups: IntArray
    looks: IntArray
    weights: NDArray[np.float64]
    activity: IntArray
    cohort: IntArray
    popularity: NDArray[np.float64]
    new_arrivals: IntArray

    @property
    def n_users(self) -> int:
        return len(self.groups)


def plant_tastes(rng: np.random.Generator, catalogue: Catalogue, n_users: int) -> Tastes:
    """Draw tastes, cohorts, activities and popularities."""
    n_items = len(catalogue)
    cohort = np.full(n_users, REGULAR)
    strangers = rng.permutation(n_users)
    n_new, n_unseen = max(2, n_users // 25), max(1, n_users // 200)
    cohort[strangers[:n_new]] = NEWCOMER
    cohort[strangers[n_new : n_new + n_unseen]] = UNSEEN
    liked, looks, weights = _draw_tastes(rng, n_users)
    rank = rng.permutation(n_items)
    popularity: NDArray[np.float64] = np.power(1 + rank / POPULARITY_OFFSET, -POPULARITY_EXPONENT)
    arrivals = np.sort(rng.choice(n_items, size=max(2, n_items // 75), replace=False))
    return Tastes(liked, looks, weights, _activity(rng, cohort), cohort, popularity, arrivals)


def preference(catalogue: Catalogue, tastes: Tastes) -> NDArray[np.float64]:
    """The planted weights w, (n_users, n_items): what a perfect recommender would rank by."""
    affinity = _group_affinity()[:, catalogue.group]  # (n_groups, n_items)
    mixed = np.zeros((tastes.n_users, len(catalogue)))
    for slot in range(MAX_TASTES):  # an absent taste has index -1 and weight 0
        group, look = tastes.groups[:, slot, None], tastes.looks[:, slot, None]
        favourite = (group == catalogue.group) & (look == catalogue.look)
        boost = np.where(favourite, LOOK_BOOST, 1.0)
        mixed += tastes.weights[:, slot, None] * affinity[group[:, 0]] * boost
    return tastes.popularity * ((1 - STRAY_SHARE) * mixed + STRAY_SHARE)


def draw_baskets(rng: np.random.Generator, catalogue: Catalogue, tastes: Tastes) -> list[IntArray]:
    """Every user's distinct items in the order of purchase; new arrivals are still absent.

    An item that nobody drew becomes the first purchase of a user who likes its style, so that every
    item of the shop has an interaction.
    """
    weights = preference(catalogue, tastes)
    weights[:, tastes.new_arrivals] = 0.0
    with np.errstate(divide="ignore"):
        keys = np.log(weights) + rng.gumbel(size=weights.shape)
    order = np.argsort(-keys, axis=1, kind="stable")
    baskets = [order[u, :n] for u, n in enumerate(tastes.activity)]
    forgotten = np.setdiff1d(np.arange(len(catalogue)), np.concatenate(baskets))
    for item in np.setdiff1d(forgotten, tastes.new_arrivals):
        user = rng.choice(admirers(catalogue, tastes, int(item)))
        baskets[user] = np.concatenate([[item], baskets[user]])
    return baskets


def admirers(catalogue: Catalogue, tastes: Tastes, item: int) -> IntArray:
    """Regular users who like the item's style; all regular users where nobody does."""
    regular = tastes.cohort == REGULAR
    likes = (tastes.groups == catalogue.group[item]).any(axis=1)
    return np.flatnonzero(regular & likes if (regular & likes).any() else regular)


def _group_affinity() -> NDArray[np.float64]:
    """How much a taste (row) likes the items of a group (column), (n_groups, n_groups)."""
    category = np.array([c for c, _ in groups()])
    affinity = np.where(category[:, None] == category[None, :], STYLE_LEAK, 0.0)
    np.fill_diagonal(affinity, 1.0)
    return affinity


def _draw_tastes(
    rng: np.random.Generator, n_users: int
) -> tuple[IntArray, IntArray, NDArray[np.float64]]:
    """Distinct liked groups, most of them in the first one's department; their looks and shares."""
    department = np.array([CATEGORIES[c].department for c, _ in groups()])
    n_groups = len(department)
    fashion = rng.dirichlet(np.full(n_groups, 6.0))
    liked = np.full((n_users, MAX_TASTES), -1)
    weights = np.zeros((n_users, MAX_TASTES))
    for u in range(n_users):
        count = rng.choice(MAX_TASTES, p=N_TASTES_PROBABILITY) + 1
        for slot in range(count):
            p = fashion.copy()
            p[liked[u, :slot]] = 0.0
            if slot:
                home = department == department[liked[u, 0]]
                p[home != (rng.random() < SAME_DEPARTMENT)] = 0.0
            liked[u, slot] = rng.choice(n_groups, p=p / p.sum())
        weights[u, :count] = rng.dirichlet(np.full(count, 4.0))
    looks = np.where(liked >= 0, rng.integers(0, N_LOOKS, liked.shape), -1)
    return liked, looks, weights


def _activity(rng: np.random.Generator, cohort: IntArray) -> IntArray:
    """Power law from ``ACTIVITY_MIN`` for regular users, 3 or 4 for newcomers, 2 for unseen ones."""
    n_users = len(cohort)
    pareto = ACTIVITY_MIN * rng.random(n_users) ** (-1 / ACTIVITY_EXPONENT)
    activity = np.minimum(pareto, ACTIVITY_MAX).astype(np.int64)
    few = rng.integers(3, 5, n_users)
    activity = np.where(cohort == NEWCOMER, few, activity)
    return np.where(cohort == UNSEEN, 2, activity)
