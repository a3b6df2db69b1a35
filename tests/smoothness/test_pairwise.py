"""Fast forms against O(N^2 d) loops, literals, and the numerically hard cases."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rednd_core.cosine import pair_mad, unit_rows
from rednd_core.smoothness.pairwise import (
    alignment,
    edge_cosines,
    edge_mad,
    edge_mad_rows,
    uniformity,
)

EXACT = 1e-9


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    size = math.sqrt(float(a @ a)) * math.sqrt(float(b @ b))
    return float(a @ b) / size if size else 0.0


def naive_distances(x: np.ndarray) -> np.ndarray:
    return np.array([[1 - cosine(a, b) for b in x] for a in x])


def naive_mad(x: np.ndarray) -> float:
    distances = naive_distances(x)
    n = len(x)
    return float(sum(distances[i, j] for i in range(n) for j in range(n) if i != j) / (n * (n - 1)))


def textbook_mad(unit: np.ndarray) -> float:
    """The closed form that cancels."""
    n, total = len(unit), unit.sum(axis=0)
    return float(1 - (total @ total - n) / (n * (n - 1)))


def collapsed(rng: np.random.Generator, spread: float, n: int = 300, d: int = 8) -> np.ndarray:
    """Unit rows within ``spread`` of one direction."""
    return unit_rows(np.full(d, d**-0.5) + spread * rng.standard_normal((n, d)))


@pytest.mark.parametrize(("n", "d"), [(2, 1), (2, 3), (7, 5), (120, 16), (1500, 3)])
def test_pair_mad_equals_the_double_loop(rng, n, d):
    x = rng.standard_normal((n, d)) + 0.5
    if n > 200:  # the loop in numpy, or it would take seconds
        u = x / np.linalg.norm(x, axis=1, keepdims=True)
        expected = (n * n - (u @ u.T).sum()) / (n * (n - 1))
    else:
        expected = naive_mad(x)
    assert pair_mad(x) == pytest.approx(expected, rel=EXACT)


def test_pair_mad_of_vectors_whose_angles_are_known():
    assert pair_mad(np.eye(3) * 5) == pytest.approx(1.0, rel=1e-15)
    assert pair_mad(np.array([[1.0, 0], [-3.0, 0]])) == pytest.approx(2.0, rel=1e-15)
    x = np.array([[1.0, 0], [1, 0], [0, 2.0]])  # distances 0, 1, 1
    assert pair_mad(x) == pytest.approx(2 / 3, rel=1e-15)


def test_a_zero_row_has_cosine_zero_with_every_row():
    x = np.array([[1.0, 0], [2.0, 0], [0, 0]])  # distances 0, 1, 1
    assert pair_mad(x) == pytest.approx(2 / 3, rel=1e-15)
    assert pair_mad(np.zeros((4, 2))) == 1.0
    assert not unit_rows(x)[2].any()


def test_pair_mad_with_some_zero_rows_equals_the_double_loop(rng):
    x = rng.standard_normal((50, 4)) + 1
    x[[3, 17, 49]] = 0
    assert pair_mad(x) == pytest.approx(naive_mad(x), rel=EXACT)


def test_pair_mad_needs_a_pair():
    assert math.isnan(pair_mad(np.ones((1, 3))))
    assert math.isnan(pair_mad(np.empty((0, 3))))


@pytest.mark.parametrize("spread", [1e-4, 1e-7])
def test_pair_mad_stays_accurate_near_collapse(rng, spread):
    unit = collapsed(rng, spread)
    offsets = unit - unit[0]  # |u_i - u_j|^2 / 2 from differences, no cancellation
    square = ((offsets[:, None] - offsets[None]) ** 2).sum(axis=2)
    expected = square.sum() / 2 / (len(unit) * (len(unit) - 1))
    assert pair_mad(unit) == pytest.approx(expected, rel=EXACT)
    assert pair_mad(unit) > 0


def test_the_textbook_form_goes_negative_near_collapse():
    values = [
        textbook_mad(collapsed(np.random.default_rng(seed), 1e-9, n=3000)) for seed in range(20)
    ]
    ours = [pair_mad(collapsed(np.random.default_rng(seed), 1e-9, n=3000)) for seed in range(20)]
    assert min(values) < 0
    assert min(ours) > 0
    assert np.allclose(ours, 7e-18, rtol=0.1, atol=0)  # (d - 1) spread^2, in expectation


def test_edge_measures_equal_a_loop_over_the_edges(graph, rng):
    x = rng.standard_normal((graph.n_nodes, 6)) + 0.4
    adjacency = graph.adjacency.astype(np.float64)
    unit = unit_rows(x)
    users, items = unit[: graph.n_users], unit[graph.n_users :]
    edges = list(zip(*adjacency[: graph.n_users, graph.n_users :].nonzero(), strict=True))
    distances = [1 - cosine(x[u], x[graph.n_users + i]) for u, i in edges]

    both = edge_cosines(unit, adjacency)
    sums = both[: graph.n_users]
    assert edge_mad(sums, len(edges)) == pytest.approx(np.mean(distances), rel=EXACT)
    squares = [((users[u] - items[i]) ** 2).sum() for u, i in edges]
    assert alignment(sums, len(edges)) == pytest.approx(np.mean(squares), rel=EXACT)

    per_node: dict[int, list[float]] = {}
    for (u, i), distance in zip(edges, distances, strict=True):
        per_node.setdefault(u, []).append(distance)
        per_node.setdefault(graph.n_users + i, []).append(distance)
    linked = graph.degrees > 0
    expected = np.mean([np.mean(values) for values in per_node.values()])
    actual = edge_mad_rows(both[linked], graph.degrees[linked])
    assert actual == pytest.approx(expected, rel=EXACT)
    assert actual != pytest.approx(np.mean(distances), rel=1e-4)


def test_edge_measures_without_edges_are_undefined():
    assert math.isnan(edge_mad(np.zeros(3), 0))
    assert math.isnan(edge_mad_rows(np.zeros(0), np.zeros(0, dtype=np.int64)))


def naive_uniformity(unit: np.ndarray) -> float:
    n = len(unit)
    kernel = [
        math.exp(-2 * float(((unit[i] - unit[j]) ** 2).sum())) for i in range(n) for j in range(i)
    ]
    return math.log(np.mean(kernel))


def test_uniformity_is_exact_when_all_pairs_fit(rng):
    unit = unit_rows(rng.standard_normal((40, 5)))
    found = uniformity(unit, 780, rng)
    assert found.exact
    assert math.isnan(found.ci)
    assert found.n == 780
    assert found.value == pytest.approx(naive_uniformity(unit), rel=EXACT)


def test_uniformity_of_known_points():
    same = np.tile([1.0, 0.0], (5, 1))
    assert uniformity(same, 100, np.random.default_rng(0)).value == pytest.approx(0, abs=1e-15)
    opposite = np.array([[1.0, 0], [-1.0, 0]])
    assert uniformity(opposite, 100, np.random.default_rng(0)).value == pytest.approx(-8)
    assert uniformity(np.eye(4), 100, np.random.default_rng(0)).value == pytest.approx(-4)
    assert math.isnan(uniformity(np.ones((1, 2)), 100, np.random.default_rng(0)).value)


def test_the_interval_of_sampled_uniformity_covers_the_truth(rng):
    unit = unit_rows(rng.standard_normal((150, 3)) + 0.5)
    truth = naive_uniformity(unit)
    found = [uniformity(unit, 2000, np.random.default_rng(seed)) for seed in range(200)]
    assert not any(estimate.exact for estimate in found)
    covered = np.mean([abs(estimate.value - truth) <= estimate.ci for estimate in found])
    assert 0.90 <= covered <= 0.99
    assert {estimate.n for estimate in found} == {2000}


def test_sampled_pairs_are_never_a_node_with_itself():
    """With orthogonal rows one self-pair would lift the mean from exp(-4) towards 1."""
    found = uniformity(np.eye(60), 500, np.random.default_rng(0))
    assert found.value == pytest.approx(-4, rel=1e-12)
    assert found.ci == pytest.approx(0, abs=1e-12)
