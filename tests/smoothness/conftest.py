"""Small graphs and embeddings for the smoothness tests."""

from __future__ import annotations

import numpy as np
import pytest

from rednd_core.data.schema import Interactions
from rednd_core.graph.bipartite import BipartiteGraph, bipartite_graph


def build_graph(pairs: list[tuple[int, int]], n_users: int, n_items: int) -> BipartiteGraph:
    users, items = np.array(pairs, dtype=np.int64).T
    return bipartite_graph(Interactions(users, items), n_users, n_items)


def random_pairs(rng: np.random.Generator, n_users: int, n_items: int, n: int):
    cells = rng.choice(n_users * n_items, size=n, replace=False)
    return [(int(c) // n_items, int(c) % n_items) for c in np.sort(cells)]


@pytest.fixture
def make_graph():
    """(pairs, n_users, n_items) -> BipartiteGraph."""
    return build_graph


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture
def graph(rng: np.random.Generator) -> BipartiteGraph:
    """40 users, 25 items; user 39 and the items 23 and 24 are isolated."""
    pairs = {(user, user % 23) for user in range(39)} | set(random_pairs(rng, 39, 23, 90))
    return build_graph(sorted(pairs), 40, 25)


@pytest.fixture
def path_graph() -> BipartiteGraph:
    """A long thin graph: u0 - i0 - u1 - i1 - ... - u7 - i7, so that far pairs exist."""
    return build_graph([(k, k) for k in range(8)] + [(k + 1, k) for k in range(7)], 8, 8)
