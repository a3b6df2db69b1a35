import math

import numpy as np
import pytest

from rednd_core.errors import ConfigError
from rednd_core.evaluation.metrics import METRICS, check_ks, group, parse_metric, user_metrics


def of_one_user(ranks, k):
    ranked = group(np.zeros(len(ranks), dtype=np.int64), np.array(ranks))
    return {name.split("@")[0]: v.item() for name, v in user_metrics(ranked, [k]).items()}


def test_by_hand():
    # three held-out items at ranks 1, 3 and 8; K = 4
    found = of_one_user([8, 1, 3], 4)
    ideal = 1 + 1 / math.log2(3) + 1 / 2
    assert found == pytest.approx(
        {
            "recall": 2 / 3,
            "precision": 2 / 4,
            "hit_rate": 1,
            "ndcg": (1 + 1 / 2) / ideal,
            "map": (1 / 1 + 2 / 3) / 3,
        }
    )


def test_denominators_stop_at_k():
    # five held-out items, two places: the best possible list has to score 1 in ndcg and map
    assert of_one_user([1, 2, 3, 4, 5], 2) == pytest.approx(
        {"recall": 2 / 5, "precision": 1, "hit_rate": 1, "ndcg": 1, "map": 1}
    )


def test_no_hit_is_zero_everywhere():
    assert set(of_one_user([5, 9], 4).values()) == {0.0}


def test_the_cut_off_itself_counts():
    assert of_one_user([4], 4)["recall"] == 1
    assert of_one_user([5], 4)["recall"] == 0


def test_users_are_kept_apart():
    ranked = group(np.array([1, 0, 1]), np.array([2, 1, 1]))
    values = user_metrics(ranked, [1, 2])
    assert values["recall@1"].tolist() == [1, 0.5]
    assert values["recall@2"].tolist() == [1, 1]
    assert values["map@2"].tolist() == [1, 1]
    assert values["precision@2"].tolist() == [0.5, 1]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("recal@20", "did you mean 'recall'"),
        ("", "hit_rate, map, ndcg, precision, recall"),
        ("recall", "cut-off"),
        ("recall@0", "at least 1"),
        ("ndcg@x", "cut-off"),
        ("ndcg@-5", "cut-off"),
        ("ndcg@²", "cut-off"),
    ],
)
def test_unreadable_names_are_refused(name, message):
    with pytest.raises(ConfigError, match=message):
        parse_metric(name)


def test_every_metric_name_is_read():
    assert [parse_metric(f"{name}@20") for name in METRICS] == [(name, 20) for name in METRICS]


def test_cut_offs_are_sorted_and_checked():
    assert check_ks([20, 5, 20]) == (5, 20)
    for bad in ([], [0], [10, -1]):
        with pytest.raises(ConfigError, match="cut-off"):
            check_ks(bad)
