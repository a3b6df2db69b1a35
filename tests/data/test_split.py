"""Splits against literals and a naive reading of their rules."""

from __future__ import annotations

from collections import defaultdict
from math import floor

import numpy as np
import pytest

from rednd_core.data.schema import InteractionTable
from rednd_core.data.split import split
from rednd_core.errors import ConfigError, DataError


def table(users, items, labels=None, timestamps=None):
    users, items = np.array(users, dtype=np.int64), np.array(items, dtype=np.int64)
    return InteractionTable(
        users=users,
        items=items,
        user_ids=np.arange(users.max() + 1).astype(str).astype(object),
        item_ids=np.arange(items.max() + 1).astype(str).astype(object),
        labels=None if labels is None else np.array(labels, dtype=np.int8),
        timestamps=None if timestamps is None else np.array(timestamps),
    )


def pairs(part):
    return list(zip(part.users.tolist(), part.items.tolist(), strict=True))


def random_table(seed=0, n_users=60, n_items=200):
    rng = np.random.default_rng(seed)
    users = np.repeat(np.arange(n_users), rng.integers(1, 40, n_users))
    items = np.concatenate([rng.choice(n_items, n, replace=False) for n in np.bincount(users)])
    order = rng.permutation(len(users))
    return table(users[order], items[order], timestamps=rng.integers(0, 50, len(users)))


def test_given_labels_in_canonical_order():
    parts = split(table([1, 0, 0, 1, 0], [2, 1, 0, 0, 3], [0, 2, 0, 1, 0]), "given")
    assert pairs(parts.train) == [(0, 0), (0, 3), (1, 2)]
    assert pairs(parts.valid) == [(1, 0)]
    assert pairs(parts.test) == [(0, 1)]
    assert parts.notices == ()


def test_auto_takes_labels_where_there_are_some():
    labelled = table([0, 0, 0], [0, 1, 2], [1, 0, 0])
    assert pairs(split(labelled).valid) == [(0, 0)]
    bare = random_table()
    assert pairs(split(bare, seed=3).test) == pairs(split(bare, "random", seed=3).test)


def naive_sizes(n, ratios):
    """(train, valid, test) of a user with n pairs."""
    test = min(max(1, floor(ratios[2] * n + 1e-9)), n - 1) if ratios[2] else 0
    valid = min(max(1, floor(ratios[1] * n + 1e-9)), n - test - 1) if ratios[1] else 0
    return n - valid - test, valid, test


@pytest.mark.parametrize("ratios", [(0.8, 0.1, 0.1), (0.5, 0.25, 0.25), (0.71, 0.29, 0.0)])
def test_random_sizes_of_every_user(ratios):
    whole = random_table()
    parts = split(whole, "random", ratios=ratios)
    sizes = [np.bincount(p.users, minlength=60) for p in (parts.train, parts.valid, parts.test)]
    for user, n in enumerate(np.bincount(whole.users)):
        assert tuple(size[user] for size in sizes) == naive_sizes(n, ratios)
    cut = pairs(parts.train) + pairs(parts.valid) + pairs(parts.test)
    assert sorted(cut) == sorted(zip(whole.users.tolist(), whole.items.tolist(), strict=True))


@pytest.mark.parametrize(
    ("n", "sizes"),
    [(1, (1, 0, 0)), (2, (1, 0, 1)), (3, (1, 1, 1)), (5, (3, 1, 1)), (20, (16, 2, 2))],
)
def test_random_sizes_by_hand(n, sizes):
    users = [0] * n + [1] * 10  # the second user keeps validation from being empty
    parts = split(table(users, list(range(n)) + list(range(10))), "random")
    found = tuple(int((p.users == 0).sum()) for p in (parts.train, parts.valid, parts.test))
    assert found == sizes


def test_random_is_repeatable_and_ignores_the_order_of_rows():
    whole = random_table()
    order = np.random.default_rng(1).permutation(len(whole.users))
    shuffled = table(whole.users[order], whole.items[order])
    first, again, other = split(whole, seed=5), split(shuffled, seed=5), split(whole, seed=6)
    assert pairs(first.test) == pairs(again.test)
    assert pairs(first.test) != pairs(other.test)


def test_random_draws_every_position_alike():
    """Held-out pairs must not lean to small item numbers: mean rank near the middle."""
    users, items = np.repeat(np.arange(500), 20), np.tile(np.arange(20), 500)
    test = split(table(users, items), "random").test
    assert abs(test.items.mean() - 9.5) < 0.6  # 3.3 standard errors of 1000 draws


def test_leave_last_out_by_hand():
    parts = split(
        table(
            [0, 0, 0, 0, 1, 1, 2, 2, 2],
            [0, 1, 2, 3, 0, 1, 4, 5, 6],
            None,
            [9, 2, 7, 1, 5, 6, 3, 3, 3],
        ),
        "leave_last_out",
    )
    assert pairs(parts.test) == [(0, 0), (2, 6)]
    assert pairs(parts.valid) == [(0, 2), (2, 5)]  # equal times: the order of the file
    assert pairs(parts.train) == [(0, 1), (0, 3), (1, 0), (1, 1), (2, 4)]


def test_leave_last_out_against_a_naive_loop():
    whole = random_table(seed=2)
    by_user = defaultdict(list)
    for user, item, time in zip(whole.users, whole.items, whole.timestamps, strict=True):
        by_user[int(user)].append((float(time), int(item)))
    valid, test = [], []
    for user, events in by_user.items():
        events.sort(key=lambda event: event[0])
        if len(events) >= 3:
            valid.append((user, events[-2][1]))
            test.append((user, events[-1][1]))
    parts = split(whole, "leave_last_out")
    assert pairs(parts.valid) == sorted(valid)
    assert pairs(parts.test) == sorted(test)


def test_users_that_training_never_sees_are_dropped_and_counted():
    parts = split(table([0, 0, 1, 1, 2], [0, 1, 0, 1, 0], [0, 1, 1, 2, 2]))
    assert pairs(parts.valid) == [(0, 1)]
    assert pairs(parts.test) == []
    assert [(n.code, n.count) for n in parts.notices] == [
        ("users_without_train", 2),
        ("no_test", 0),
    ]
    assert "2 users" in parts.notices[0].message
    assert "3 pairs" in parts.notices[0].message


def test_validation_is_taken_from_train_where_there_is_none():
    """One in ten of every user's train pairs, at least one of two; a single pair stays."""
    users = [0] * 22 + [1] * 3 + [2] * 2
    labels = [0] * 20 + [2] * 2 + [0, 0, 2] + [0, 2]
    items = [*range(22), 0, 1, 2, 0, 1]
    parts = split(table(users, items, labels), "given", seed=3)
    counts = [np.bincount(part.users, minlength=3).tolist() for part in (parts.train, parts.valid)]
    assert counts == [[18, 1, 1], [2, 1, 0]]
    assert pairs(parts.test) == [(0, 20), (0, 21), (1, 2), (2, 1)]
    assert [(n.code, n.count) for n in parts.notices] == [("validation_from_train", 3)]
    assert "took 3 pairs of train" in parts.notices[0].message
    again, other = (split(table(users, items, labels), "given", seed=s) for s in (3, 4))
    assert pairs(again.valid) == pairs(parts.valid) != pairs(other.valid)


def test_global_time_by_hand():
    """Ten pairs at times 0..9, of which 5 and 6 are one time: they stay together."""
    times = np.array([9, 8, 7, 5, 5, 4, 3, 2, 1, 0])
    whole = table([0, 1, 0, 1, 0, 1, 0, 1, 0, 1], range(10), timestamps=times)
    parts = split(whole, "global_time", ratios=(0.5, 0.3, 0.2))
    assert sorted(parts.train.items) == [5, 6, 7, 8, 9]
    assert sorted(parts.valid.items) == [2, 3, 4]
    assert sorted(parts.test.items) == [0, 1]
    parts = split(whole, "global_time", ratios=(0.6, 0.2, 0.2))
    assert sorted(parts.train.items) == [5, 6, 7, 8, 9]  # the sixth has the time of the fifth
    with pytest.raises(DataError, match="for the split 'global_time'"):
        split(table([0, 0], [0, 1]), "global_time")


def test_global_time_keeps_whole_numbers_apart_that_float64_rounds_together():
    start = 2**53
    times = np.array([start + 1, start, start + 3, start + 2])
    parts = split(
        table([0, 0, 0, 0], range(4), timestamps=times), "global_time", ratios=(0.5, 0.25, 0.25)
    )
    assert (sorted(parts.train.items), list(parts.valid.items), list(parts.test.items)) == (
        [0, 1],
        [3],
        [2],
    )


@pytest.mark.parametrize(
    ("labels", "words"), [([1, 1, 2], "train interactions"), ([0, 0, 0], "validation interactions")]
)
def test_empty_parts(labels, words):
    with pytest.raises(DataError, match=words):
        split(table([0, 0, 0], [0, 1, 2], labels))


def test_missing_labels_and_times():
    with pytest.raises(DataError, match="no label column"):
        split(table([0, 0], [0, 1]), "given")
    with pytest.raises(DataError, match="no timestamp column"):
        split(table([0, 0], [0, 1]), "leave_last_out")


def test_unknown_rule():
    with pytest.raises(ConfigError, match="did you mean 'random'"):
        split(table([0, 0], [0, 1]), "randm")


@pytest.mark.parametrize(
    "ratios", [(0.8, 0.1), (0.8, 0.1, 0.2), (1.2, -0.1, -0.1), (float("nan"), 0.5, 0.5)]
)
def test_impossible_ratios(ratios):
    with pytest.raises(ConfigError, match="sum to 1"):
        split(table([0, 0], [0, 1]), "random", ratios=ratios)


def test_a_missing_test_part_is_said():
    parts = split(table([0, 0], [0, 1], [0, 1]), "given")
    assert [(n.code, n.message) for n in parts.notices] == [
        ("no_test", "No test interactions: runs will have no test results.")
    ]
