import numpy as np
import pytest

from rednd_core.data.schema import Interactions, interaction_matrix
from rednd_core.errors import ConfigError, DataError
from rednd_core.evaluation.evaluate import evaluate
from rednd_core.evaluation.recommend import ranks_of, recommend


def test_by_hand():
    train = interaction_matrix(Interactions(np.array([0]), np.array([1])), 2, 5)
    held_out = Interactions(np.array([0, 0, 1]), np.array([4, 0, 2]))
    items = np.array([[2.0], [9.0], [5.0], [3.0], [3.0]])
    # user 0 scores 2 [9] 5 3 3: ranking 2, 3, 4, 0
    found = recommend(np.ones((2, 1)), items, train, 0, 2, held_out)
    assert found.listed["item"].tolist() == [2, 3]
    assert found.listed["rank"].tolist() == [1, 2]
    assert found.listed["score"].tolist() == [5, 3]
    assert found.listed["hit"].tolist() == [False, False]
    assert found.missed.to_dict("list") == {"rank": [3, 4], "item": [4, 0], "score": [3, 2]}
    assert found.history.tolist() == [1]
    assert found.n_candidates == 4

    longer = recommend(np.ones((2, 1)), items, train, 0, 3, held_out)
    assert longer.listed["hit"].tolist() == [False, False, True]
    assert longer.missed["item"].tolist() == [0]


def test_hits_and_misses_agree_with_the_evaluation(case):
    result = evaluate(*case.args, ks=[5])
    for position, user in enumerate(result.users[:40].tolist()):
        found = recommend(*case.args[:3], user, 5, case.held_out)
        assert found.listed["hit"].sum() / result.n_held_out[position] == pytest.approx(
            result.values("recall@5")[position]
        )
        ranking = case.ranking(user)
        assert [ranking[r - 1] for r in found.missed["rank"]] == found.missed["item"].tolist()
        listed_hits = set(found.listed["item"][found.listed["hit"]])
        assert listed_hits | set(found.missed["item"]) == case.held_out_of(user)
        assert listed_hits.isdisjoint(found.missed["item"])


def test_list_is_shorter_where_items_run_out(case):
    found = recommend(*case.args[:3], 3, 1000, case.held_out)
    assert found.listed["item"].tolist() == case.ranking(3)
    assert found.n_candidates == len(found.listed)
    assert found.missed.empty


def test_without_held_out_items():
    train = interaction_matrix(Interactions(np.array([0]), np.array([1])), 1, 3)
    found = recommend(np.ones((1, 1)), np.arange(3.0)[:, None], train, 0, 5)
    assert found.listed["item"].tolist() == [2, 0]
    assert not found.listed["hit"].any()
    assert found.missed.empty


def test_impossible_requests_are_refused(case):
    with pytest.raises(DataError, match="user ids"):
        recommend(*case.args[:3], len(case.user_emb), 5)
    with pytest.raises(DataError, match="user ids"):
        recommend(*case.args[:3], -1, 5)
    with pytest.raises(ConfigError, match="k of at least 1"):
        recommend(*case.args[:3], 0, 0)


def test_ranks_of_chosen_items_are_those_of_the_whole_ranking(case):
    for user in range(0, 40, 7):
        ranking = case.ranking(user)
        chosen = np.array(ranking[::3], dtype=np.int64)
        expected = [ranking.index(item) + 1 for item in chosen.tolist()]
        assert ranks_of(*case.args[:3], user, chosen).tolist() == expected


def test_a_train_item_has_no_rank():
    train = interaction_matrix(Interactions(np.array([1]), np.array([2])), 2, 5)
    emb = np.ones((2, 1)), np.ones((5, 1)), train
    assert ranks_of(*emb, 0, np.array([2])).tolist() == [3]
    with pytest.raises(DataError, match="not in the train matrix"):
        ranks_of(*emb, 1, np.array([2]))
