"""MADGap against distances from SciPy's shortest paths and O(N^2) loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.sparse.csgraph import shortest_path

from rednd_core.cosine import unit_rows
from rednd_core.smoothness.gap import PAPER_RULE, SAME_TYPE_RULE, GapRows


def mad_gaps(units, *rows):
    """Of several embeddings, on the same rows."""
    chosen = GapRows(*rows)
    return [chosen.gap(unit) for unit in units]


def naive_gap(unit, hops, near, far):
    """Chen et al.: row means over the masked pairs, mean over the rows that have any."""
    remote_rows, near_rows = [], []
    for i in range(len(unit)):
        nearby = [1 - unit[i] @ unit[j] for j in range(len(unit)) if 1 <= hops[i, j] <= near]
        distant = [1 - unit[i] @ unit[j] for j in range(len(unit)) if hops[i, j] >= far]
        near_rows += [np.mean(nearby)] if nearby else []
        remote_rows += [np.mean(distant)] if distant else []
    return np.mean(remote_rows) - np.mean(near_rows)


@pytest.fixture
def thin_graph(make_graph, rng):
    """60 users and 60 items on a path, with a few shortcuts: many distances, some without a path."""
    pairs = [(k, k) for k in range(60)] + [(k + 1, k) for k in range(59) if k not in (19, 44)]
    pairs += [(3, 9), (22, 30), (50, 56)]
    return make_graph(pairs, 60, 60)


@pytest.fixture
def unit(thin_graph, rng):
    x = rng.standard_normal((thin_graph.n_nodes, 6)) + 0.2
    smooth = thin_graph.norm_adj.to_scipy(np.float64) @ x + 0.3 * x
    return unit_rows(smooth)


@pytest.mark.parametrize(("first", "last"), [(0, 60), (60, 120)], ids=["users", "items"])
def test_same_type_gap_equals_the_loop(thin_graph, unit, rng, first, last):
    side = slice(first, last)
    hops = shortest_path(thin_graph.adjacency, unweighted=True)[side, side]
    expected = naive_gap(unit[side], hops, near=2, far=6)
    found = mad_gaps([unit], thin_graph.adjacency, side, SAME_TYPE_RULE, 60, rng)[0]
    assert found.value == pytest.approx(expected, rel=1e-9)
    assert found.exact
    assert math.isnan(found.ci)
    assert found.n == 60
    assert expected > 0.1


def test_the_papers_gap_equals_the_loop(thin_graph, unit, rng):
    hops = shortest_path(thin_graph.adjacency, unweighted=True)
    expected = naive_gap(unit, hops, near=3, far=8)
    found = mad_gaps([unit], thin_graph.adjacency, slice(None), PAPER_RULE, 10**6, rng)[0]
    assert found.value == pytest.approx(expected, rel=1e-9)


def test_more_rows_than_a_block_changes_nothing(make_graph, rng):
    pairs = [(k, k) for k in range(300)] + [(k + 1, k) for k in range(299)]
    graph = make_graph(pairs, 300, 300)
    unit = unit_rows(rng.standard_normal((600, 3)))
    hops = shortest_path(graph.adjacency, unweighted=True)[:300, :300]
    found = mad_gaps([unit], graph.adjacency, slice(0, 300), SAME_TYPE_RULE, 300, rng)[0]
    assert found.value == pytest.approx(naive_gap(unit[:300], hops, 2, 6), rel=1e-9)


def test_several_embeddings_are_measured_on_the_same_rows(thin_graph, unit):
    def gaps(units):
        rng = np.random.default_rng(3)
        return mad_gaps(units, thin_graph.adjacency, slice(0, 60), SAME_TYPE_RULE, 20, rng)

    other = unit_rows(unit[:, :3])
    assert gaps([unit, other]) == [gaps([unit])[0], gaps([other])[0]]


@pytest.mark.parametrize("rule", [SAME_TYPE_RULE, PAPER_RULE], ids=["same type", "paper"])
def test_the_interval_of_sampled_rows_covers_the_exact_value(thin_graph, unit, rule):
    """Half of the rows: without the correction for a finite population nearly all would cover."""
    nodes = slice(0, 60) if rule is SAME_TYPE_RULE else slice(None)

    def gap(n_rows, seed):
        rng = np.random.default_rng(seed)
        return mad_gaps([unit], thin_graph.adjacency, nodes, rule, n_rows, rng)[0]

    truth = gap(120, 0).value
    found = [gap(30 if rule is SAME_TYPE_RULE else 60, seed) for seed in range(200)]
    covered = np.mean([abs(estimate.value - truth) <= estimate.ci for estimate in found])
    assert 0.88 <= covered <= 0.985
    assert np.mean([estimate.value for estimate in found]) == pytest.approx(truth, abs=0.01)


def test_a_side_without_remote_pairs_has_no_gap(make_graph, rng):
    graph = make_graph([(0, 0), (1, 0), (2, 0)], 3, 1)
    unit = unit_rows(rng.standard_normal((4, 2)))
    found = mad_gaps([unit], graph.adjacency, slice(0, 3), SAME_TYPE_RULE, 10, rng)[0]
    assert math.isnan(found.value)
    lone_item = mad_gaps([unit], graph.adjacency, slice(3, 4), SAME_TYPE_RULE, 10, rng)[0]
    assert math.isnan(lone_item.value)
