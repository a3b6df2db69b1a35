import numpy as np
import pytest

from rednd_core.data.schema import Interactions, interaction_matrix
from rednd_core.errors import DataError
from rednd_core.evaluation.explain import explain

#          items 0 1 2 3
HISTORIES = [[0, 1], [0, 2], [0, 1, 2], [3], [2]]


@pytest.fixture
def train():
    rows = [(u, i) for u, items in enumerate(HISTORIES) for i in items]
    users, items = np.array(rows).T
    return interaction_matrix(Interactions(users, items), 5, 4)


USERS = np.array([[1.0, 2.0, 3.0], *[[0.0, 0.0, 0.0]] * 4])
ITEMS = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 2.0], [1.0, 0.0, 1.0], [0.0, 0.0, 0.0]])


def test_by_hand(train):
    found = explain(USERS, ITEMS, train, user=0, item=2, blocks={"image": 2, "text": 1})
    assert found.score == 4
    assert found.parts == {"image": 1, "text": 3}
    # user 0 has items 0 and 1; item 2 belongs to users 1, 2 and 4
    history = found.history.set_index("item")
    assert history["inner_product"].to_dict() == {0: 1, 1: 2}
    assert history["cosine"].to_dict() == pytest.approx({0: 0.5**0.5, 1: 0.5**0.5})
    assert history["shared_users"].to_dict() == {0: 2, 1: 1}
    assert history["degree"].to_dict() == {0: 3, 1: 2}
    assert found.neighbours.to_dict("list") == {
        "user": [2, 1],
        "shared_items": [2, 1],
        "jaccard": [2 / 3, 1 / 3],
    }
    # degrees 3 2 3 1: two below, two level (itself and item 0) of four
    assert found.degree == 3
    assert found.popularity == 75


def test_nearest_history_comes_first(train):
    items = ITEMS.copy()
    items[1] = [1, 0, 1.1]
    assert explain(USERS, items, train, 0, 2).history["item"].tolist() == [1, 0]


def test_a_train_item_is_not_its_own_neighbour(train):
    found = explain(USERS, ITEMS, train, 0, 1)
    assert 0 not in found.neighbours["user"].tolist()
    assert found.parts == {"score": found.score}


def test_zero_vectors_have_cosine_zero(train):
    found = explain(USERS, ITEMS, train, 0, 3)
    assert found.history["cosine"].tolist() == [0, 0]
    assert found.neighbours.empty


def test_agrees_with_a_loop(case):
    dense = case.train.toarray() > 0
    rng = np.random.default_rng(0)
    for user, item in rng.integers(0, dense.shape, (20, 2)):
        found = explain(case.user_emb, case.item_emb, case.train, user, item)
        assert found.score == case.user_emb[user] @ case.item_emb[item]
        history = np.flatnonzero(dense[user])
        assert sorted(found.history["item"]) == history.tolist()
        for row in found.history.itertuples():
            assert row.shared_users == (dense[:, row.item] & dense[:, item]).sum()
            assert row.degree == dense[:, row.item].sum()
            assert row.inner_product == case.item_emb[row.item] @ case.item_emb[item]
        expected = {
            v: (int((dense[v] & dense[user]).sum()), (dense[v] | dense[user]).sum())
            for v in np.flatnonzero(dense[:, item])
            if v != user and (dense[v] & dense[user]).any()
        }
        assert set(found.neighbours["user"]) == set(expected)
        for row in found.neighbours.itertuples():
            shared, union = expected[row.user]
            assert row.shared_items == shared
            assert row.jaccard == pytest.approx(shared / union)


def test_parts_add_up_on_random_embeddings(train):
    rng = np.random.default_rng(0)
    users, items = rng.normal(size=(5, 9)), rng.normal(size=(4, 9))
    found = explain(users, items, train, 1, 3, {"image": 4, "text": 2, "audio": 3})
    assert sum(found.parts.values()) == pytest.approx(users[1] @ items[3], rel=1e-5)
    assert found.parts["text"] == pytest.approx(users[1, 4:6] @ items[3, 4:6], rel=1e-5)


@pytest.mark.parametrize("blocks", [{"image": 2}, {"image": 2, "text": 2}, {"a": 3, "b": 0}, {}])
def test_blocks_that_do_not_fit_are_refused(train, blocks):
    with pytest.raises(DataError, match="add up to 3"):
        explain(USERS, ITEMS, train, 0, 2, blocks)


def test_ids_out_of_range_are_refused(train):
    with pytest.raises(DataError, match="user ids"):
        explain(USERS, ITEMS, train, 5, 0)
    with pytest.raises(DataError, match="item ids"):
        explain(USERS, ITEMS, train, 0, -1)
