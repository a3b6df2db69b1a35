from __future__ import annotations

import itertools

import numpy as np
import pytest

from rednd_core.errors import ConfigError, DataError
from rednd_core.projection import NodeSample, sample_linked, sample_nodes


def test_keeps_the_proportion_of_users_and_items():
    sample = sample_nodes(900, 100, 200)
    assert len(sample.nodes) == 200
    assert (sample.nodes < 900).sum() == 180
    assert sample.n_total == 1000


def test_is_deterministic_sorted_and_seeded():
    first, again = sample_nodes(50, 30, 20), sample_nodes(50, 30, 20)
    assert np.array_equal(first.nodes, again.nodes)
    assert (np.diff(first.nodes) > 0).all()
    assert not np.array_equal(first.nodes, sample_nodes(50, 30, 20, random_state=1).nodes)


def test_a_larger_sample_holds_the_smaller():
    samples = [set(sample_nodes(57, 23, n).nodes.tolist()) for n in range(3, 81)]
    assert all(small < large for small, large in itertools.pairwise(samples))


@pytest.mark.parametrize(("n_users", "n_items"), [(1000, 1), (1, 1000), (0, 10), (10, 0)])
def test_every_side_that_exists_is_there(n_users, n_items):
    nodes = sample_nodes(n_users, n_items, 5).nodes
    assert len(nodes) == 5
    assert (nodes < n_users).any() == bool(n_users)
    assert (nodes >= n_users).any() == bool(n_items)


def test_all_nodes_when_there_are_no_more_and_included_ones_always():
    assert sample_nodes(4, 3, 99).nodes.tolist() == list(range(7))
    some = sample_nodes(500, 500, 10).nodes
    absent = int(np.setdiff1d(np.arange(1000), some)[0])
    wanted = sample_nodes(500, 500, 10, include=[absent, int(some[0])]).nodes
    assert wanted.tolist() == sorted([*some.tolist(), absent])


def test_errors():
    with pytest.raises(ConfigError, match="at least 3"):
        sample_nodes(10, 10, 2)
    with pytest.raises(DataError, match="between 0 and 19"):
        sample_nodes(10, 10, 5, include=[20])
    for nodes in ([1, 1], [2, 1], [-1, 2]):
        with pytest.raises(DataError, match="sorted distinct"):
            NodeSample(np.array(nodes), 10)


def test_a_linked_sample_has_linked_nodes_alone_in_their_proportion():
    linked = np.ones(1000, dtype=bool)
    linked[::4] = False
    sample = sample_linked(linked, 600, 150, include=[0, 1, 601])
    assert sample.n_total == 1000
    assert linked[sample.nodes].all()
    assert {1, 601} <= {*sample.nodes.tolist()}
    assert 0 not in sample.nodes
    users = int((sample.nodes < 600).sum())
    assert len(sample.nodes) - 2 <= 150 <= len(sample.nodes)
    assert abs(users - 90) <= 2


def test_a_linked_sample_of_everything_is_all_linked_nodes():
    linked = np.array([True, False, True, True, False, True])
    assert sample_linked(linked, 3, 99).nodes.tolist() == [0, 2, 3, 5]
