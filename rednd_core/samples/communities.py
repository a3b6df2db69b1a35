"""Interactions of a large graph with planted communities, drawn in blocks of users.

A user with d items draws d of them: with probability AFFINITY from the own community, else from all
items, in both cases in proportion to popularity. A pair that the user has already is drawn again, so
that popular items saturate: no item has more interactions than there are users.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rednd_core.data.pairs import ascending
from rednd_core.samples.powerlaw import activity, popularity

ACTIVITY_EXPONENT = 2.5
POPULARITY_EXPONENT = 0.8
POPULARITY_OFFSET = 20.0
AFFINITY = 0.75
LARGEST_SHARE = 0.1  # of all items that one user has
HELD_OUT = 0.1  # of the pairs, once for validation and once for test

_BLOCK_PAIRS = 2_000_000
_ROUNDS = 40

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Plan:
    """Everything about a graph but its edges.

    Attributes:
        degrees: items of every user, (n_users,).
        user_community, item_community: (n_users,), (n_items,) int64 in 0..n_communities-1.
        shelf: items ordered by community, (n_items,): where a draw lands.
        bounds: cumulative popularity along the shelf, (n_items + 1,), from 0 to 1.
        edges: bounds of every community, (n_communities + 1,).
    """

    seed: int
    degrees: IntArray
    user_community: IntArray
    item_community: IntArray
    shelf: IntArray
    bounds: NDArray[np.float64]
    edges: NDArray[np.float64]

    @property
    def n_items(self) -> int:
        return len(self.item_community)


@dataclass(frozen=True)
class Block:
    """Pairs of consecutive users, sorted by user and item, (n,) each; labels 0, 1, 2 as in files."""

    users: NDArray[np.int32]
    items: NDArray[np.int32]
    labels: NDArray[np.int8]


def plan_graph(
    *, n_users: int, n_items: int, n_interactions: int, n_communities: int, seed: int
) -> Plan:
    """Degrees, communities and popularity; numbers of users and items say nothing about them.

    Raises:
        ConfigError: more or fewer interactions than these users can have.
    """
    rng = np.random.default_rng([seed, 0])
    most = max(1, int(LARGEST_SHARE * n_items))
    degrees = rng.permutation(activity(n_users, n_interactions, ACTIVITY_EXPONENT, most))
    weights = rng.permutation(popularity(n_items, POPULARITY_EXPONENT, POPULARITY_OFFSET))
    item_community = rng.permutation(np.arange(n_items) % n_communities)
    user_community = rng.integers(n_communities, size=n_users)
    shelf = np.argsort(item_community, kind="stable")
    bounds = np.concatenate([[0.0], np.cumsum(weights[shelf])])
    sizes = np.bincount(item_community, minlength=n_communities)
    edges = bounds[np.concatenate([[0], np.cumsum(sizes)])]
    return Plan(seed, degrees, user_community, item_community, shelf, bounds, edges)


def draw_blocks(plan: Plan) -> Iterator[Block]:
    """All interactions, in order; every block draws from its own generator."""
    reached = np.cumsum(plan.degrees)
    start = number = 0
    while start < len(plan.degrees):
        before = int(reached[start - 1]) if start else 0
        stop = int(np.searchsorted(reached, before + _BLOCK_PAIRS, side="right"))
        stop = max(stop, start + 1)
        number += 1
        yield _draw(plan, start, stop, np.random.default_rng([plan.seed, number]))
        start = stop


def _draw(plan: Plan, start: int, stop: int, rng: np.random.Generator) -> Block:
    n_items, degrees = plan.n_items, plan.degrees[start:stop]
    keys = np.empty(0, dtype=np.int64)  # (user - start) * n_items + item, ascending
    missing = degrees
    for _ in range(_ROUNDS):
        users = np.repeat(np.arange(start, stop), missing)
        drawn = (users - start) * n_items + _items(plan, users, rng)
        keys = np.concatenate([keys, drawn])
        keys.sort()
        keys = keys[np.concatenate([[True], keys[1:] != keys[:-1]])]
        missing = degrees - np.bincount(keys // n_items, minlength=len(degrees))
        if not missing.any():
            break
    else:
        keys = _fill(plan, keys, missing, rng)
    assert ascending(keys)
    users = keys // n_items
    labels = _labels(users, degrees, rng)
    items = keys - users * n_items
    return Block((users + start).astype(np.int32), items.astype(np.int32), labels)


def _items(plan: Plan, users: IntArray, rng: np.random.Generator) -> IntArray:
    """One item for each of ``users``, (n,)."""
    own = plan.user_community[users]
    at_home = rng.random(len(users)) < AFFINITY
    low = np.where(at_home, plan.edges[own], 0.0)
    high = np.where(at_home, plan.edges[own + 1], 1.0)
    point = low + rng.random(len(users)) * (high - low)
    place = np.searchsorted(plan.bounds, point, side="right") - 1
    items: IntArray = plan.shelf[np.clip(place, 0, plan.n_items - 1)]
    return items


def _fill(plan: Plan, keys: IntArray, missing: IntArray, rng: np.random.Generator) -> IntArray:
    """Give users what many rounds left missing: items they lack, in proportion to popularity."""
    weights = np.empty(plan.n_items)
    weights[plan.shelf] = np.diff(plan.bounds)
    added = [keys]
    for user in np.flatnonzero(missing):
        first, last = np.searchsorted(keys, [user * plan.n_items, (user + 1) * plan.n_items])
        scores = rng.exponential(size=plan.n_items) / weights  # the smallest: a draw without return
        scores[keys[first:last] - user * plan.n_items] = np.inf
        chosen = np.argpartition(scores, missing[user] - 1)[: missing[user]]
        added.append(user * plan.n_items + chosen)
    return np.sort(np.concatenate(added))


def _labels(users: IntArray, degrees: IntArray, rng: np.random.Generator) -> NDArray[np.int8]:
    """Train, validation or test by chance, pair by pair; a user without train gets one pair back."""
    chance = rng.random(len(users))
    labels = (chance < 2 * HELD_OUT).astype(np.int8) + (chance < HELD_OUT)
    trained = np.bincount(users[labels == 0], minlength=len(degrees)) > 0
    first = np.cumsum(degrees) - degrees
    returned = first + rng.integers(degrees)
    labels[returned[~trained]] = 0
    return labels.astype(np.int8)
