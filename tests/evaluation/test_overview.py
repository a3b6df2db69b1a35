"""Slices of two models in one table, and top-k lists with the ids that people know."""

import numpy as np
import pandas as pd
import pytest

from rednd_core.data.schema import Interactions, interaction_matrix
from rednd_core.errors import ConfigError, DataError
from rednd_core.evaluation.compare import compare
from rednd_core.evaluation.evaluate import Evaluation, evaluate
from rednd_core.evaluation.overview import BY_ACTIVITY, BY_POPULARITY, slice_overview, top_k_table

N_USERS, N_ITEMS = 60, 40


@pytest.fixture(scope="module")
def world():
    """Train matrix, held-out pairs and two models; users 0..29 have 3 train items, others 8."""
    rng = np.random.default_rng(5)
    train, held_out = [], []
    for user in range(N_USERS):
        n = 3 if user < 30 else 8
        items = rng.choice(N_ITEMS, size=n + 2, replace=False)
        train += [(user, item) for item in items[:n]]
        held_out += [(user, item) for item in items[n:]]
    matrix = interaction_matrix(Interactions(*np.array(train).T), N_USERS, N_ITEMS)
    pairs = Interactions(*np.array(held_out).T)
    good = interaction_matrix(pairs, N_USERS, N_ITEMS).toarray() + rng.random((N_USERS, N_ITEMS))
    bad = rng.random((N_USERS, N_ITEMS))
    basis = np.eye(N_ITEMS)
    return matrix, {
        "bad": evaluate(bad, basis, matrix, pairs, [10]),
        "good": evaluate(good, basis, matrix, pairs, [10]),
    }


def cell(table: pd.DataFrame, name: str, model: str) -> pd.Series:
    return table[(table["slice"] == name) & (table["model"] == model)].iloc[0]


def test_means_and_sizes_are_those_of_the_slices(world) -> None:
    matrix, models = world
    degrees = np.bincount(matrix.indices, minlength=N_ITEMS)
    table = slice_overview(models, "recall@10", degrees)
    for model, evaluation in models.items():
        own = evaluation.per_user
        cold = own[own["n_train"] <= 5]
        row = cell(table, "cold", model)
        assert row["group"] == BY_ACTIVITY
        assert (row["n_users"], row["n_held_out"]) == (30, 60)
        assert row["mean"] == pytest.approx(cold["recall@10"].mean())
        assert row["low"] <= row["mean"] <= row["high"]
        everyone = cell(table, "all users", model)
        assert everyone["mean"] == pytest.approx(evaluation.metrics["recall@10"])
    popular = table[(table["group"] == BY_POPULARITY) & (table["model"] == "good")]
    assert popular["n_held_out"].sum() == 120


def test_the_difference_is_second_minus_first_and_paired(world) -> None:
    matrix, models = world
    table = slice_overview(models, "recall@10", np.bincount(matrix.indices, minlength=N_ITEMS))
    expected = compare(models["bad"], models["good"], "recall@10", n_resamples=1000)
    row = cell(table, "all users", "good")
    assert row["difference"] == pytest.approx(expected.difference)
    assert (row["difference_low"], row["difference_high"]) == (expected.low, expected.high)
    assert row["difference_low"] > 0.2
    assert np.isnan(cell(table, "all users", "bad")["difference"])


def test_one_model_has_no_difference(world) -> None:
    matrix, models = world
    degrees = np.bincount(matrix.indices, minlength=N_ITEMS)
    table = slice_overview({"good": models["good"]}, "ndcg@10", degrees)
    assert "difference" not in table
    assert set(table["model"]) == {"good"}


def test_three_models_or_other_pairs_are_refused(world) -> None:
    matrix, models = world
    degrees = np.bincount(matrix.indices, minlength=N_ITEMS)
    with pytest.raises(ConfigError, match="one or two"):
        slice_overview({**models, "third": models["good"]}, "recall@10", degrees)
    less: Evaluation = models["good"].for_users(np.arange(N_USERS) < 50)
    with pytest.raises(DataError, match="same held-out pairs"):
        slice_overview({"bad": models["bad"], "less": less}, "recall@10", degrees)


def test_the_top_k_table_has_a_row_a_pair_and_original_ids() -> None:
    scores = np.array([[3.0, 2.0, 1.0], [1.0, 2.0, 3.0]])
    train = interaction_matrix(Interactions(np.array([0, 1, 1]), np.array([0, 0, 2])), 2, 3)
    table = top_k_table(
        scores,
        np.eye(3),
        train,
        2,
        np.array(["ann", "bob"], dtype=object),
        np.array(["x", "y", "z"], dtype=object),
    )
    # Ann has x, bob has x and z: two and one items are left.
    assert table.to_dict("list") == {
        "user_id": ["ann", "ann", "bob"],
        "rank": [1, 2, 1],
        "item_id": ["y", "z", "y"],
        "score": [2.0, 1.0, 2.0],
    }
