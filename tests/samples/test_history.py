from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from rednd_core.samples.catalogue import make_catalogue
from rednd_core.samples.history import TEST, TRAIN, VALID, write_history
from rednd_core.samples.tastes import (
    NEWCOMER,
    REGULAR,
    UNSEEN,
    draw_baskets,
    plant_tastes,
    preference,
)


def train_matrix(history):
    train = history[history["x_label"] == TRAIN]
    pairs = (train["userID"], train["itemID"])
    return sp.csr_array((np.ones(len(train)), pairs), shape=(1000, 600))


def recall_at_20(scores, history):
    seen = train_matrix(history).toarray() > 0
    top = np.argsort(np.where(seen, -np.inf, scores), axis=1)[:, ::-1][:, :20]
    test = history[history["x_label"] == TEST]
    held = {user: set(rows) for user, rows in test.groupby("userID")["itemID"]}
    known = [user for user in held if seen[user].any()]
    return np.mean([len(held[u] & set(top[u])) / len(held[u]) for u in known])


def test_pairs_are_distinct_and_every_user_and_item_occurs(world):
    history = world.history
    assert history.columns.tolist() == ["userID", "itemID", "x_label", "timestamp"]
    assert not history.duplicated(["userID", "itemID"]).any()
    assert history["userID"].nunique() == 1000
    assert history["itemID"].nunique() == 600
    assert 11_000 <= len(history) <= 16_000


def test_labels_follow_time_and_take_a_tenth(world):
    for _, rows in world.history.groupby("userID"):
        assert rows["timestamp"].is_monotonic_increasing
        assert rows["timestamp"].is_unique
        assert rows["x_label"].is_monotonic_increasing
    user = np.flatnonzero(world.tastes.activity >= 40)[0]
    labels = world.history.loc[world.history["userID"] == user, "x_label"].to_numpy()
    tenth = round(len(labels) / 10)
    assert (labels == VALID).sum() == (labels == TEST).sum() == tenth
    shares = world.history["x_label"].value_counts(normalize=True)
    assert 0.74 < shares[TRAIN] < 0.82
    assert shares[VALID] == shares[TEST]


def test_cold_users_and_isolated_items(world):
    bought = train_matrix(world.history)
    per_user, per_item = bought.sum(axis=1), bought.sum(axis=0)
    cohort = world.tastes.cohort
    assert (per_user[cohort == UNSEEN] == 0).all()
    assert set(per_user[cohort == NEWCOMER]) == {1, 2}
    assert per_user[cohort == REGULAR].min() >= 3
    assert (per_item[world.tastes.new_arrivals] == 0).all()
    assert len(world.tastes.new_arrivals) == 8
    assert ((per_item > 0) & (per_item <= 5)).sum() >= 20  # cold, but not isolated


def test_new_arrivals_are_in_test_alone_and_bought_by_admirers(world):
    rows = world.history[world.history["itemID"].isin(world.tastes.new_arrivals)]
    assert (rows["x_label"] == TEST).all()
    assert rows["itemID"].value_counts().between(3, 6).all()
    liked = world.tastes.groups[rows["userID"]]
    assert (liked == world.catalogue.group[rows["itemID"], None]).any(axis=1).all()


def test_train_graph_is_one_component_but_for_isolated_nodes(world):
    bought = train_matrix(world.history)
    adjacency = sp.block_array([[None, bought], [bought.T, None]])
    degree = np.asarray(adjacency.sum(axis=1)).ravel()
    _, component = connected_components(adjacency, directed=False)
    assert len(set(component[degree > 0])) == 1
    assert 5 <= (degree == 0).sum() <= 25


def test_tastes_beat_popularity_which_beats_chance(world):
    popularity = np.tile(train_matrix(world.history).sum(axis=0), (1000, 1))
    by_popularity = recall_at_20(popularity, world.history)
    by_taste = recall_at_20(preference(world.catalogue, world.tastes), world.history)
    assert 20 / 600 * 1.5 < by_popularity < 0.16
    assert 0.45 < by_taste < 0.75


@pytest.mark.parametrize("seed", range(5))
def test_small_shops_keep_every_item_and_user(seed):
    rng = np.random.default_rng(seed)
    catalogue = make_catalogue(rng, 148)
    tastes = plant_tastes(rng, catalogue, 50)
    history = write_history(rng, catalogue, tastes, draw_baskets(rng, catalogue, tastes))
    assert history["itemID"].nunique() == 148
    assert history["userID"].nunique() == 50
    assert not history.duplicated(["userID", "itemID"]).any()
    assert (history.loc[history["itemID"].isin(tastes.new_arrivals), "x_label"] == TEST).all()
