"""Walks through users and their standing, on four users whose values are known."""

import numpy as np
import pytest

from rednd_core.data.schema import Interactions
from rednd_core.errors import ConfigError
from rednd_core.evaluation.evaluate import Evaluation
from rednd_core.evaluation.users import Standing, standing, walk

# User -> ranks of the held-out items. recall@2: user 1: 0, 3: 1/2, 4: 0 (two items), 6: 1, 8: 1.
RANKS = {1: [9], 3: [1, 5], 4: [7, 8], 6: [2], 8: [1, 2]}
N_TRAIN = [3, 50, 1, 8, 8]


@pytest.fixture
def evaluation() -> Evaluation:
    users = np.array([user for user, ranks in RANKS.items() for _ in ranks])
    ranks = np.array([rank for ranks in RANKS.values() for rank in ranks])
    held_out = Interactions(users, np.arange(len(users)))
    return Evaluation(held_out, ranks, (2,), np.array(N_TRAIN))


def test_worst_first_and_of_equals_those_with_most_at_stake(evaluation: Evaluation) -> None:
    assert walk(evaluation, "worst", "recall@2").tolist() == [4, 1]


def test_best_first(evaluation: Evaluation) -> None:
    assert walk(evaluation, "best", "recall@2").tolist() == [8, 6]


def test_cold_has_the_fewest_train_items_first(evaluation: Evaluation) -> None:
    assert walk(evaluation, "cold", "recall@2").tolist() == [4, 1]


def test_heavy_has_the_most_train_items_first(evaluation: Evaluation) -> None:
    assert walk(evaluation, "heavy", "recall@2").tolist() == [3]


def test_random_is_everyone_once_in_an_order_of_its_seed(evaluation: Evaluation) -> None:
    order = walk(evaluation, "random", "recall@2")
    assert sorted(order) == [1, 3, 4, 6, 8]
    assert order.tolist() == walk(evaluation, "random", "recall@2").tolist()
    others = [walk(evaluation, "random", "recall@2", seed=seed).tolist() for seed in range(1, 6)]
    assert any(other != order.tolist() for other in others)


def test_a_single_user_is_the_worst_and_the_best(evaluation: Evaluation) -> None:
    alone = evaluation.for_users(np.array([False, True, False, False, False]))
    assert walk(alone, "worst", "recall@2").tolist() == [3]
    assert walk(alone, "best", "recall@2").tolist() == [3]
    assert walk(alone, "cold", "recall@2").tolist() == []


def test_an_unknown_slice_is_refused(evaluation: Evaluation) -> None:
    with pytest.raises(ConfigError, match="slice of users"):
        walk(evaluation, "wurst", "recall@2")


def test_standing_counts_those_below_and_level(evaluation: Evaluation) -> None:
    found = standing(evaluation, "recall@2", 3)
    assert found == Standing("recall@2", value=0.5, n_below=2, n_level=1, n_users=5)
    worst = standing(evaluation, "recall@2", 1)
    assert worst is not None
    assert (worst.n_below, worst.n_level) == (0, 2)


def test_a_user_without_held_out_items_stands_nowhere(evaluation: Evaluation) -> None:
    assert standing(evaluation, "recall@2", 2) is None


def test_a_user_outside_the_sample_stands_among_it(evaluation: Evaluation) -> None:
    sample = evaluation.for_users(evaluation.users != 3)
    alone = evaluation.for_users(evaluation.users == 3)
    assert standing(sample, "recall@2", 3) is None
    assert standing(sample, "recall@2", 3, alone) == standing(evaluation, "recall@2", 3)
