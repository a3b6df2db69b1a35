"""Each rule of a verdict against worlds in which the reason is planted, and against loops."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from rednd_core.data.schema import Interactions
from rednd_core.errors import ConfigError
from rednd_core.evaluation.evaluate import Evaluation, evaluate
from rednd_core.evaluation.linear import LinearModel
from rednd_core.evaluation.misfit import Misfits
from rednd_core.evaluation.verdicts import (
    CROWD,
    LOST,
    MISLEADS,
    NEAR,
    NEW,
    OTHER,
    TAIL,
    UNCONNECTED,
    VERDICTS,
    Evidence,
    gather_evidence,
    judge,
)

FAR = 1000


def evidence(ranks, users, **parts) -> Evidence:
    """Pairs of items 0, 1, ... with the given ranks; nothing holds unless ``parts`` says so."""
    n = len(ranks)
    pairs = Interactions(np.array(users), np.arange(n))
    n_users = len(np.unique(users))
    usual = {
        "by_depth": None,
        "without_crowd": np.full(n, FAR),
        "fitting": {},
        "connected": np.ones(n, dtype=bool),
        "tail": np.zeros(n, dtype=bool),
        "familiar": np.ones(n, dtype=bool),
    }
    of = Evaluation(pairs, np.array(ranks), (10,), np.arange(n_users))
    return Evidence(of, **{**usual, **parts})


def verdicts(found) -> dict[int, str]:
    return dict(zip(found.table["user"].tolist(), found.table["verdict"].tolist(), strict=True))


def test_a_user_with_a_held_out_item_in_the_list_does_not_fail():
    found = judge(evidence([10, 500, 11, 21], [3, 3, 5, 6]), k=10)
    assert found.n_users == 3
    assert verdicts(found) == {5: NEAR, 6: OTHER}
    assert found.table["best_rank"].tolist() == [11, 21]
    assert found.table["best_item"].tolist() == [2, 3]


def test_a_near_miss_stands_within_twice_the_length():
    assert verdicts(judge(evidence([20, 21], [0, 1]), k=10)) == {0: NEAR, 1: OTHER}


def test_every_held_out_item_must_be_in_the_tail_be_new_or_have_no_path():
    """User 0 for one of two items, user 1 for both."""
    flags = np.array([True, False, True, True])
    users = [0, 0, 1, 1]
    for verdict, parts in {
        TAIL: {"tail": flags},
        NEW: {"familiar": ~flags},
        UNCONNECTED: {"connected": ~flags},
    }.items():
        found = judge(evidence([50] * 4, users, **parts), k=10)
        assert verdicts(found) == {0: OTHER, 1: verdict}


def test_lost_says_after_which_layer():
    """User 0 is lost at layer 3, user 1 was never found, user 2 was found at layer 0 only."""
    by_depth = np.array([[50, 60, 9], [8, 60, 40], [10, 60, 40], [50, 60, 40]])
    table = judge(evidence([50, 60, 40], [0, 1, 2], by_depth=by_depth), k=10).table
    assert table["verdict"].tolist() == [LOST, OTHER, LOST]
    assert table["depth"].tolist() == [3, -1, 1]


def test_most_donors_must_list_the_item():
    fitting = {"image": np.array([[9, 99], [9, 99], [9, 9], [99, 9], [99, 99]]),
               "text": np.array([[99, 99]] * 5)}  # fmt: skip
    table = judge(evidence([50, 50], [0, 1], fitting=fitting), k=10).table
    assert table["verdict"].tolist() == [MISLEADS, OTHER]
    assert table["modality"].tolist() == ["image", ""]


def test_several_classes_may_hold_and_the_first_is_the_verdict():
    found = judge(
        evidence([15, 15], [0, 1], without_crowd=np.array([5, FAR]), tail=np.array([True, True])),
        k=10,
    )
    assert verdicts(found) == {0: CROWD, 1: NEAR}
    counts = found.counts.set_index("verdict")
    assert counts.loc[[CROWD, NEAR, TAIL], "n"].tolist() == [1, 2, 2]
    assert counts.loc[[CROWD, NEAR, TAIL], "n_first"].tolist() == [1, 1, 0]
    assert counts["n_first"].sum() == len(found.table)
    assert list(counts.index) == [*VERDICTS, OTHER]
    assert found.of(TAIL)["user"].tolist() == [0, 1]


def test_what_nobody_can_judge_is_said():
    found = evidence([15], [0], familiar=None)
    assert set(found.not_judged) == {MISLEADS, LOST, NEW}
    known = evidence(
        [15], [0], by_depth=np.ones((2, 1), dtype=int), fitting={"image": np.ones((5, 1))}
    )
    assert known.not_judged == {}
    with pytest.raises(ConfigError, match="k of at least 1"):
        judge(found, k=0)


@pytest.fixture(scope="module")
def world():
    """Random interactions: 60 users, 40 items with categories, item 39 never chosen."""
    rng = np.random.default_rng(4)
    ratings = rng.random((60, 40)) < np.linspace(0.3, 0.01, 40)
    ratings[:, 39] = False
    ratings[np.arange(60), rng.integers(0, 10, 60)] = True
    held = [(u, rng.choice(np.flatnonzero(~ratings[u]), 2, replace=False)) for u in range(60)]
    pairs = Interactions(
        np.repeat([u for u, _ in held], 2), np.concatenate([items for _, items in held])
    )
    categories = [("Pots", "Kites", "Mugs", "")[i % 4] for i in range(40)]
    emb = rng.normal(size=(60, 4)).astype(np.float32), rng.normal(size=(40, 4)).astype(np.float32)
    return ratings, pairs, categories, emb


def test_the_data_s_own_reasons_against_loops(world):
    ratings, pairs, categories, emb = world
    matrix = sp.csr_array(ratings.astype(np.float32))
    of = evaluate(*emb, matrix, pairs, [5])
    found = gather_evidence(of, *emb, matrix, categories=categories)
    counts = ratings.sum(axis=0)
    for pair, (user, item) in enumerate(zip(pairs.users, pairs.items, strict=True)):
        path = any(
            ratings[other, item] and (ratings[other] & ratings[user]).any()
            for other in range(60)
            if other != user
        )
        assert found.connected[pair] == path
        own = {categories[i] for i in np.flatnonzero(ratings[user])}
        assert found.familiar[pair] == (categories[item] in own or categories[item] == "")
        before = counts[counts > counts[item]].sum()  # of the items that are more popular
        assert found.tail[pair] == (3 * before >= 2 * counts.sum() or counts[item] == 0)


def test_the_crowd_stands_before_a_planted_taste():
    """Every user likes three popular items by a common direction, and one item by a taste of the own."""
    n = 8
    users = np.hstack([np.full((n, 1), 3.0), np.eye(n)]).astype(np.float32)
    crowd = np.hstack([np.full((3, 1), 3.0), np.zeros((3, n))])
    tastes = np.hstack([np.zeros((n, 1)), np.eye(n)])
    items = np.vstack([crowd, tastes]).astype(np.float32)
    train = np.zeros((n, 3 + n))
    train[np.arange(n), 3 + (np.arange(n) + 1) % n] = 1  # something of no interest here
    pairs = Interactions(np.arange(n), 3 + np.arange(n))
    matrix = sp.csr_array(train)
    of = evaluate(users, items, matrix, pairs, [3])
    assert (of.ranks == 4).all()
    found = gather_evidence(of, users, items, matrix)
    assert (found.without_crowd == 1).all()
    assert set(judge(found, k=3).table["verdict"]) == {CROWD}


def test_too_much_propagation_loses_a_planted_taste():
    """Layer 0 has a direction for every taste; the last layer is the same vector for everybody."""
    n = 6
    matrix = sp.csr_array(np.roll(np.eye(n), 1, axis=1))
    pairs = Interactions(np.arange(n), np.arange(n))
    told = np.eye(n, dtype=np.float32), np.eye(n, dtype=np.float32)
    popularity = np.linspace(1, 2, n, dtype=np.float32)[:, None] * np.ones((1, n), np.float32)
    same = np.ones((n, n), dtype=np.float32), popularity
    of = evaluate(*same, matrix, pairs, [1])
    found = judge(gather_evidence(of, *same, matrix, depths=[told, told, same]), k=1)
    assert set(found.table["verdict"]) == {LOST}
    assert set(found.table["depth"]) == {2}
    # User 5 wants the most popular item; user 4 has it in train, and wants the next one.
    assert found.table["user"].tolist() == [0, 1, 2, 3]


def test_a_planted_wrong_picture_misleads():
    """Items 0..5 are lamps but for item 0, whose picture shows a pot; a user of lamps wants item 0."""
    lamp, pot = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    items = np.array([pot, lamp, lamp, lamp, lamp, lamp, pot, pot, pot])
    users = np.array([0.5 * lamp, 0.5 * pot])
    train = np.zeros((2, 9))
    train[0, 1] = train[1, 6] = 1
    model = LinearModel(sp.csr_array(train), {"image": np.vstack([users, items])}, (1.0,), {})
    misfits = Misfits("image", np.array([0]), np.array([[1, 2, 3, 4, 5]]))
    of = evaluate(
        *model.embeddings, model.train_matrix, Interactions(np.array([0]), np.array([0])), [4]
    )
    found = gather_evidence(
        of, *model.embeddings, model.train_matrix, linear=model, misfits=[misfits]
    )
    assert of.ranks.tolist() == [5]
    assert (found.fitting["image"] == 1).all()
    table = judge(found, k=4).table
    assert table["verdict"].tolist() == [MISLEADS]
    assert table["modality"].tolist() == ["image"]
