"""Coverage, Gini, novelty, lift and diversity: numbers worked out by hand, and loops over random lists."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from rednd_core.errors import DataError
from rednd_core.evaluation.beyond import MEASURES, beyond_accuracy

# Items 0..3 have 2, 1, 1 and 0 train users; user 3 has no history.
TRAIN = sp.csr_array(np.array([[1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]]))
VECTORS = np.array([[1.0, 0], [0, 2.0], [3.0, 0], [0, 0]])
EVERYONE = {"all": np.arange(4)}


def row(items, users, slices=None, vectors=VECTORS) -> dict:
    table = beyond_accuracy(np.array(items), np.array(users), TRAIN, slices or EVERYONE, vectors)
    return table.iloc[0].to_dict()


def test_by_hand():
    found = row([[2, 3], [1, 2], [0, -1]], [0, 1, 2])
    assert (found["n_users"], found["n_listed"]) == (3, 5)
    assert found["coverage"] == 1.0  # all four items
    # Listed 1, 1, 2 and 1 times: sorted 1 1 1 2, sum of rank * count = 1 + 2 + 3 + 8 = 14.
    assert found["gini"] == pytest.approx(2 * 14 / (4 * 5) - 5 / 4)
    # Of 4 users: items with 0 or 1 train users have 2 bits, item 0 with 2 has 1 bit.
    assert found["novelty"] == pytest.approx((2 + 2 + 1) / 3)
    # Lists: (1 + 0) / 2, (1 + 1) / 2, 2; histories: (2 + 1) / 2, 2, 1.
    assert found["lift"] == pytest.approx((0.5 + 1 + 2) / (1.5 + 2 + 1) - 1)
    # Item 3 has no vector: distance 1. Items 1 and 2 are orthogonal. One item is no pair.
    assert found["diversity"] == pytest.approx(1.0)


def test_alike_and_opposite_items():
    assert row([[0, 2]], [0])["diversity"] == pytest.approx(0.0)
    vectors = np.array([[1.0, 0], [-1.0, 0], [0, 1.0], [0, 0]])
    assert row([[0, 1]], [0], vectors=vectors)["diversity"] == pytest.approx(2.0)


def test_one_item_for_all_is_as_unequal_as_can_be():
    found = row([[0], [0], [0]], [1, 2, 3])
    assert found["coverage"] == 0.25
    assert found["gini"] == pytest.approx(3 / 4)  # (m - 1) / m
    # User 3 has no history and counts neither in the lists nor in the histories of the lift.
    assert found["lift"] == pytest.approx((2 + 2) / (2 + 1) - 1)


def test_a_slice_is_its_users_and_its_denominator_stays_all_items():
    items, users = np.array([[0, 1], [2, 3]]), np.array([2, 0])
    slices = {"first": np.array([2]), "second": np.array([0, 1]), "nobody": np.array([3])}
    table = beyond_accuracy(items, users, TRAIN, slices, VECTORS).set_index("slice")
    assert table["coverage"].tolist()[:2] == [0.5, 0.5]
    assert table["n_users"].tolist() == [1, 1, 0]
    assert table.loc["nobody", list(MEASURES)].isna().all()
    assert table.loc["first", "novelty"] == pytest.approx(1.5)


def test_without_vectors_there_is_no_diversity():
    found = row([[0, 1]], [0], vectors=None)
    assert math.isnan(found["diversity"])
    assert found["coverage"] == 0.5


def loops(items, users, train, members, vectors) -> dict:
    """Every measure by loops over users, items and pairs."""
    dense = train.toarray()
    popularity = dense.sum(axis=0)
    n_users, n_items = dense.shape
    counts, novelty, listed, chosen, diversity = [0] * n_items, [], [], [], []
    for line, user in zip(items, users, strict=True):
        own = [item for item in line if item >= 0]
        if user not in members or not own:
            continue
        for item in own:
            counts[item] += 1
        novelty.append(np.mean([-math.log2(max(popularity[i], 1) / n_users) for i in own]))
        history = [i for i in range(n_items) if dense[user, i]]
        if history:
            listed.append(np.mean([popularity[i] for i in own]))
            chosen.append(np.mean([popularity[i] for i in history]))
        distances = []
        for a, first in enumerate(own):
            for second in own[a + 1 :]:
                u, v = vectors[first], vectors[second]
                lengths = np.linalg.norm(u) * np.linalg.norm(v)
                distances.append(1 - (u @ v / lengths if lengths else 0))
        if distances:
            diversity.append(np.mean(distances))
    differences = sum(abs(a - b) for a in counts for b in counts)
    return {
        "coverage": sum(count > 0 for count in counts) / n_items,
        "gini": differences / (2 * n_items * sum(counts)),
        "novelty": np.mean(novelty),
        "lift": np.mean(listed) / np.mean(chosen) - 1,
        "diversity": np.mean(diversity),
    }


@pytest.mark.parametrize("seed", range(5))
def test_random_lists_against_loops(seed, monkeypatch):
    monkeypatch.setattr("rednd_core.evaluation.beyond.USERS_AT_ONCE", 7)
    rng = np.random.default_rng(seed)
    train = sp.csr_array((rng.random((30, 20)) < 0.2).astype(np.float64))
    users = rng.permutation(30)[:25]
    items = np.array([rng.permutation(20)[:6] for _ in users])
    items[rng.random(items.shape) < 0.2] = -1
    vectors = rng.normal(size=(20, 4)).astype(np.float32)
    vectors[3] = 0
    members = {int(user) for user in users[:15]}
    slices = {"some": np.array(sorted(members)), "all": np.arange(30)}
    table = beyond_accuracy(items, users, train, slices, vectors)
    for name, inside in (("some", members), ("all", set(range(30)))):
        found = table[table["slice"] == name][list(MEASURES)].iloc[0].to_dict()
        wanted = loops(items, users, train, inside, vectors)
        assert found == pytest.approx(wanted, rel=1e-6)


def test_what_does_not_fit_is_refused():
    with pytest.raises(DataError, match="2 lists"):
        row([[0], [1]], [0])
    with pytest.raises(DataError, match="item 4"):
        row([[4]], [0])
    with pytest.raises(DataError, match="3 vectors"):
        row([[0]], [0], vectors=VECTORS[:3])
    assert isinstance(
        beyond_accuracy(np.zeros((0, 2), int), np.zeros(0, int), TRAIN, {}), pd.DataFrame
    )
