"""Users with items in common, against sets and a sort."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from rednd_core.errors import ConfigError
from rednd_core.graph import cooccurrence
from rednd_core.graph.cooccurrence import co_occurrence_graph


def lists(ratings: np.ndarray, k: int) -> list[list[tuple[int, int]]]:
    """(neighbour, common items) of every user, by sets."""
    chosen = [set(np.flatnonzero(row)) for row in ratings]
    found = []
    for user, own in enumerate(chosen):
        common = [(other, len(own & theirs)) for other, theirs in enumerate(chosen)]
        others = [(other, n) for other, n in common if n and other != user]
        found.append(sorted(others, key=lambda pair: (-pair[1], pair[0]))[:k])
    return found


def as_lists(ratings: np.ndarray, k: int) -> list[list[tuple[int, int]]]:
    graph = co_occurrence_graph(sp.csr_array(ratings), k)
    pattern = graph.pattern
    assert pattern.n_rows == pattern.n_cols == len(ratings)
    return [
        list(
            zip(
                pattern.indices[start:stop].tolist(),
                graph.counts[start:stop].tolist(),
                strict=True,
            )
        )
        for start, stop in zip(pattern.indptr[:-1], pattern.indptr[1:], strict=True)
    ]


def test_by_hand() -> None:
    """u0 {0, 1, 2}, u1 {1, 2}, u2 {2}, u3 {3}: u3 has nobody; u2 has u0 and u1 with one item each."""
    ratings = np.array([[1, 1, 1, 0], [0, 1, 1, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    assert as_lists(ratings, 2) == [[(1, 2), (2, 1)], [(0, 2), (2, 1)], [(0, 1), (1, 1)], []]
    assert as_lists(ratings, 1) == [[(1, 2)], [(0, 2)], [(0, 1)], []]


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("k", [1, 3, 100])
@pytest.mark.parametrize("block", [1, 40, 10**9])
def test_random_choices(monkeypatch: pytest.MonkeyPatch, seed: int, k: int, block: int) -> None:
    """However many users are counted at a time."""
    monkeypatch.setattr(cooccurrence, "_BLOCK_PAIRS", block)
    rng = np.random.default_rng(seed)
    ratings = (rng.random((23, 9)) < rng.choice([0.05, 0.3, 0.9])).astype(np.float32)
    assert as_lists(ratings, k) == lists(ratings, k)


def test_stored_values_do_not_matter() -> None:
    ratings = np.array([[2.0, 0.5], [3.0, 0.0]])
    assert as_lists(ratings, 5) == [[(1, 1)], [(0, 1)]]


def test_nobody_and_nothing() -> None:
    assert as_lists(np.zeros((3, 2)), 4) == [[], [], []]
    assert co_occurrence_graph(sp.csr_array((0, 4)), 4).pattern.n_rows == 0


def test_no_neighbour_at_all_is_refused() -> None:
    with pytest.raises(ConfigError, match="k of at least 1"):
        co_occurrence_graph(sp.csr_array(np.ones((2, 2))), 0)
