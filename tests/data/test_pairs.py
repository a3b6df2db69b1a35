"""Pairs as single numbers: order and distinctness as a plain sort of tuples has them."""

from __future__ import annotations

import numpy as np
import pytest

from rednd_core.data.pairs import ascending, pair_keys, pair_order
from rednd_core.data.schema import Interactions, interaction_matrix


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
def test_order(dtype):
    rng = np.random.default_rng(0)
    rows = rng.permutation([(u, i) for u in range(30) for i in range(40) if (u * i) % 3])
    users, items = rows.T.astype(dtype)
    found = pair_order(users, items)
    assert list(zip(users[found], items[found], strict=True)) == sorted(
        zip(users, items, strict=True)
    )
    assert pair_order(users[found], items[found]) is None


def test_large_ids_do_not_overflow():
    users = np.array([9_999_999, 9_999_999, 9_999_998], dtype=np.int32)
    items = np.array([0, 9_999_999, 5], dtype=np.int32)
    assert pair_keys(users, items).tolist() == [99999990000000, 99999999999999, 99999980000005]
    assert pair_order(users, items).tolist() == [2, 0, 1]


def test_repeated_pairs_are_not_ascending():
    assert ascending(np.array([], dtype=np.int64))
    assert ascending(np.array([3]))
    assert ascending(np.array([0, 2, 9]))
    assert not ascending(np.array([0, 2, 2]))
    assert not ascending(np.array([2, 0]))


def test_the_matrix_of_sorted_and_of_shuffled_pairs():
    users, items = np.array([0, 0, 2, 2, 2]), np.array([1, 4, 0, 1, 3])
    want = np.zeros((4, 6), dtype=np.float32)
    want[users, items] = 1
    for rows in (np.arange(5), np.array([4, 2, 0, 1, 3])):
        matrix = interaction_matrix(Interactions(users[rows], items[rows]), 4, 6)
        np.testing.assert_array_equal(matrix.toarray(), want)
        assert matrix.dtype == np.float32
        assert matrix.indices.tolist() == items.tolist()
        assert matrix.indptr.tolist() == [0, 2, 2, 5, 5]
