import numpy as np
import pytest
import scipy.sparse as sp

from rednd_core.data.schema import Interactions
from rednd_core.errors import ConfigError, DataError
from rednd_core.evaluation.evaluate import Evaluation, evaluate
from rednd_core.evaluation.slices import (
    by_activity,
    by_degree,
    by_metric,
    by_popularity,
    popularity_groups,
    slice_table,
)


def made(n_train, ranks=None):
    """An evaluation with one held-out pair a user."""
    n = len(n_train)
    ranks = np.ones(n, dtype=np.int64) if ranks is None else np.array(ranks)
    return Evaluation(Interactions(np.arange(n), np.arange(n)), ranks, (5,), np.array(n_train))


def users(parts):
    return {name: part.users.tolist() for name, part in parts.items()}


def test_degree_quantiles_by_hand():
    assert users(by_degree(made([1, 2, 3, 4, 5, 6, 7, 8]), 4)) == {
        "1-2": [0, 1],
        "3-4": [2, 3],
        "5-6": [4, 5],
        "7-8": [6, 7],
    }


def test_equal_degrees_stay_together():
    assert users(by_degree(made([9, 3, 3, 3, 3, 3, 3, 4]), 4)) == {
        "3": [1, 2, 3, 4, 5, 6],
        "4-9": [0, 7],
    }
    assert users(by_degree(made([3, 3, 3]), 4)) == {"3": [0, 1, 2]}


def test_activity_by_hand():
    degrees = [5, 6, 50, 1, 7, 8, 9, 10, 11, 60]
    assert users(by_activity(made(degrees), cold_at_most=5, heavy_share=0.2)) == {
        "cold": [0, 3],
        "middle": [1, 4, 5, 6, 7, 8],
        "heavy": [2, 9],
    }
    assert users(by_activity(made([2, 2, 2]))) == {"cold": [0, 1, 2]}


def test_best_and_worst_by_hand():
    parts = by_metric(made([1] * 6, ranks=[2, 9, 1, 9, 5, 9]), "ndcg@5", 2)
    assert users(parts) == {"worst": [1, 3], "rest": [4, 5], "best": [0, 2]}
    same = by_metric(made([1] * 4), "recall@5", 2)  # all equal: still disjoint
    assert users(same) == {"worst": [0, 1], "best": [2, 3]}


def test_popularity_groups_by_hand():
    # 12 train interactions: 6 | 2 2 | 1 1 0; the head stops once a third (4) is before
    groups = popularity_groups(np.array([1, 2, 6, 2, 1, 0]))
    assert groups.tolist() == ["tail", "torso", "head", "torso", "tail", "tail"]
    assert popularity_groups(np.zeros(3, dtype=np.int64)).tolist() == ["tail"] * 3


def test_popularity_divides_the_pairs_of_a_user():
    pairs = Interactions(np.array([0, 0, 1]), np.array([2, 0, 5]))
    whole = Evaluation(pairs, np.array([1, 9, 2]), (5,), np.array([4, 4]))
    parts = by_popularity(whole, np.array([1, 2, 6, 2, 1, 0]))
    assert users(parts) == {"head": [0], "tail": [0, 1]}
    assert parts["head"].metrics["recall@5"] == 1
    assert parts["tail"].metrics["recall@5"] == 0.5
    assert whole.metrics["recall@5"] == 0.75


@pytest.mark.parametrize(
    "cut",
    [by_degree, by_activity, lambda e: by_metric(e, "recall@5", 10)],
    ids=["degree", "activity", "metric"],
)
def test_slices_partition_the_users(case, cut):
    whole = evaluate(*case.args, ks=[5])
    parts = cut(whole)
    assert sorted(np.concatenate([p.users for p in parts.values()])) == whole.users.tolist()
    total = sum(p.metrics["recall@5"] * p.n_users for p in parts.values())
    assert total / whole.n_users == pytest.approx(whole.metrics["recall@5"])


def test_popularity_partitions_the_pairs(case):
    whole = evaluate(*case.args, ks=[5])
    parts = by_popularity(whole, np.bincount(case.train.indices, minlength=len(case.item_emb)))
    assert list(parts) == ["head", "torso", "tail"]
    assert sum(len(p.held_out) for p in parts.values()) == len(case.held_out)
    assert sum((p.ranks <= 5).sum() for p in parts.values()) == (whole.ranks <= 5).sum()


def test_a_popularity_model_serves_the_head_only():
    """What the table is for: a model that recommends the most popular items never hits the tail."""
    degrees = np.array([100, 90, 5, 4, 3, 2, 1, 1])
    everyone = Interactions(np.arange(8), np.arange(8))
    item_emb = degrees[:, None].astype(float)
    result = evaluate(np.ones((8, 1)), item_emb, sp.csr_array((8, 8)), everyone, ks=[2])
    table = slice_table(by_popularity(result, degrees)).set_index("slice")
    assert table.loc["head", "recall@2"] == 1
    assert table.loc["tail", "recall@2"] == 0
    assert table["n_held_out"].sum() == 8


def test_table_by_hand():
    table = slice_table(by_degree(made([1, 2, 3, 4], ranks=[1, 9, 1, 1]), 2))
    assert table["slice"].tolist() == ["1-2", "3-4"]
    assert table["n_users"].tolist() == [2, 2]
    assert table["n_held_out"].tolist() == [2, 2]
    assert table["recall@5"].tolist() == [0.5, 1]


def test_impossible_cuts_are_refused():
    whole = made([1, 2, 3, 4])
    with pytest.raises(ConfigError, match="at least 1 part"):
        by_degree(whole, 0)
    with pytest.raises(ConfigError, match="between 0 and 1"):
        by_activity(whole, heavy_share=1.0)
    for n in (0, 3):
        with pytest.raises(ConfigError, match="half of the 4 users"):
            by_metric(whole, "recall@5", n)
    with pytest.raises(ConfigError, match="metric"):
        by_metric(whole, "auc@5", 1)
    with pytest.raises(DataError, match="degree for every item"):
        by_popularity(whole, np.array([1, 2]))
