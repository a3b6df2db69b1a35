"""Thresholds, cores and samples against naive loops."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from rednd_core.data import load_dataset
from rednd_core.errors import ConfigError, DataError


def pairs_of(dataset):
    return {
        (dataset.user_ids[u], dataset.item_ids[i])
        for part in (dataset.train, dataset.valid, dataset.test)
        for u, i in zip(part.users, part.items, strict=True)
    }


@pytest.fixture
def log(write):
    rng = np.random.default_rng(5)
    rows = {(int(u), int(i)): int(r) for u, i, r in zip(
        rng.zipf(1.6, 900) % 40, rng.zipf(1.5, 900) % 60, rng.integers(1, 6, 900), strict=True)}  # fmt: skip
    lines = [f"u{u},i{i},{r}" for (u, i), r in rows.items()]
    file = write("log.csv", "user,item,rating\n" + "\n".join(lines) + "\n")
    return file, {(f"u{u}", f"i{i}"): r for (u, i), r in rows.items()}


def core(pairs, least):
    while True:
        users, items = Counter(u for u, _ in pairs), Counter(i for _, i in pairs)
        kept = {(u, i) for u, i in pairs if users[u] >= least and items[i] >= least}
        if kept == pairs:
            return kept
        pairs = kept


@pytest.mark.parametrize("least", [2, 3, 4])
def test_the_core_is_what_is_left_when_nothing_more_goes(log, least):
    file, rows = log
    wanted = core(set(rows), least)
    dataset = load_dataset(file, min_interactions=least)
    assert pairs_of(dataset) == wanted
    assert set(dataset.user_ids) == {u for u, _ in wanted}
    assert set(dataset.item_ids) == {i for _, i in wanted}
    (notice,) = [n for n in dataset.notices if n.code == "k_core"]
    assert notice.count == len(rows) - len(wanted)


def test_a_core_of_nothing_is_said(log):
    with pytest.raises(DataError, match="at least 900 interactions each"):
        load_dataset(log[0], min_interactions=900)


def test_a_threshold_comes_before_the_core(log):
    file, rows = log
    dataset = load_dataset(file, rating_threshold=3, min_interactions=3)
    assert pairs_of(dataset) == core({pair for pair, rating in rows.items() if rating >= 3}, 3)
    assert "ratings_unused" not in {n.code for n in dataset.notices}
    with pytest.raises(DataError, match="ratings from 1 to 5; choose a lower threshold"):
        load_dataset(file, rating_threshold=6)


def test_a_threshold_needs_ratings(inter):
    with pytest.raises(DataError, match=r"a column of ratings in shop\.inter for the threshold 3"):
        load_dataset(inter((0, 0, 0), (0, 1, 1)), rating_threshold=3)


def test_a_sample_keeps_all_of_what_its_users_have(log):
    file, rows = log
    dataset = load_dataset(file, sample_users=9, split_seed=4)
    assert dataset.n_users == 9
    users = set(dataset.user_ids)
    assert pairs_of(dataset) == {pair for pair in rows if pair[0] in users}
    assert load_dataset(file, sample_users=9, split_seed=4).digest == dataset.digest
    assert set(load_dataset(file, sample_users=9, split_seed=5).user_ids) != users
    everybody = load_dataset(file, split_seed=4)
    assert load_dataset(file, sample_users=10_000, split_seed=4).digest == everybody.digest


def test_features_follow_the_items_that_are_left(inter):
    rows = [(u, i, 0) for u in range(4) for i in (0, 2, 5)] + [(4, 1, 0)]
    rows += [(u, 3, 1) for u in range(4)]
    folder = inter(*rows).parent
    values = np.arange(1, 15, dtype=np.float32).reshape(7, 2)
    np.save(folder / "text_feat.npy", values)
    dataset = load_dataset(folder, min_interactions=2)
    assert dataset.item_ids.tolist() == ["0", "2", "3", "5"]
    assert dataset.features["text"].tolist() == values[[0, 2, 3, 5]].tolist()


def test_impossible_choices_are_sentences(log):
    for setting in ({"layout": "tabel"}, {"min_interactions": 0}, {"sample_users": 0}):
        with pytest.raises(ConfigError):
            load_dataset(log[0], **setting)
