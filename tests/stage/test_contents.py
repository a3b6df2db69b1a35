"""What the stage shows of a run, against one Python sort for each user."""

from __future__ import annotations

import numpy as np
import pytest

from rednd_core.stage import contents
from rednd_core.stage.contents import LIST_LENGTH, RECALL_K, Cast
from tests.stage.conftest import N_ITEMS, N_USERS, TRAIN, VALID


def ranking(layer: np.ndarray, user: int) -> list[int]:
    """Items without those of train, best first; of equals the lower number first."""
    scores = layer[user].astype(np.float64) @ layer[N_USERS:].astype(np.float64).T
    unseen = [i for i in range(N_ITEMS) if (user, i) not in TRAIN]
    return sorted(unseen, key=lambda i: (-scores[i], i))


def test_the_nodes_on_stage_are_those_with_a_train_interaction(world) -> None:
    assert world.cast.n_isolated == 2
    assert 7 not in world.cast.nodes  # the user without interactions
    assert N_USERS + 14 not in world.cast.nodes  # the item
    assert len(world.cast.nodes) == N_USERS + N_ITEMS - 2


def test_lists_ranks_and_recall_are_those_of_the_vectors_of_each_depth(world) -> None:
    run = world.run()
    cast = world.cast
    assert run.n_steps == 4
    assert sorted(zip(cast.held_out.users, cast.held_out.items, strict=True)) == sorted(VALID)
    for depth, layer in enumerate(world.layers):
        recalls = []
        for place, user in enumerate(cast.users):
            expected = ranking(layer, user)
            listed = [i for i in run.lists.items[depth, place].tolist() if i >= 0]
            assert listed == expected[:LIST_LENGTH]
            wanted = [i for u, i in VALID if u == user]
            recalls.append(np.mean([expected.index(i) < RECALL_K for i in wanted]))
        for pair, (user, item) in enumerate(
            zip(cast.held_out.users, cast.held_out.items, strict=True)
        ):
            assert run.lists.ranks[depth, pair] == ranking(layer, user).index(item) + 1
        assert run.recall["value"][depth] == pytest.approx(np.mean(recalls))
    assert run.recall["n"].tolist() == [len(cast.users)] * 4
    own = ranking(world.layers[1], int(cast.users[0]))[:LIST_LENGTH]
    assert [i for i in run.lists.own[0].tolist() if i >= 0] == own


def test_recall_of_a_sample_says_so(world, monkeypatch) -> None:
    monkeypatch.setattr(contents, "RECALL_SCORES", 4 * N_ITEMS)
    cast = Cast.of(world.dataset, world.graph)
    assert not cast.judges_all_listed
    assert len(np.unique(cast.judged.users)) == 4
    run = contents.stage_run(
        "a",
        "A",
        world.layers,
        world.scoring,
        beyond_from=1,
        cast=cast,
        dataset=world.dataset,
        graph=world.graph,
    )
    assert run.recall["n"].tolist() == [4] * 4
    assert run.recall["ci"].notna().any()


def test_a_followed_user_is_always_on_stage(world, monkeypatch) -> None:
    monkeypatch.setattr(contents, "MOST_USERS", 2)
    monkeypatch.setattr(contents, "MOST_NODES", 5)
    usual = Cast.of(world.dataset, world.graph)
    assert len(usual.users) == 2
    assert len(usual.nodes) == 5
    outside = next(user for user in range(7) if user not in usual.users)
    cast = Cast.of(world.dataset, world.graph, outside)
    assert outside in cast.users
    assert outside in cast.nodes
    assert {*usual.users} < {*cast.users}
    # A user without a train interaction has a list, but no place on a map.
    assert 7 not in Cast.of(world.dataset, world.graph, 7).nodes


def test_depths_of_different_widths_share_their_axes(world) -> None:
    """Layers side by side get wider: what is not there yet is 0, which changes no list and no distance."""
    sides = [np.hstack(world.layers[: k + 1]) for k in range(4)]
    run = world.run(layers=sides)
    width = sides[0].shape[1]
    assert {rows.shape for rows in run.rows} == {(len(world.cast.nodes), 4 * width)}
    for k, rows in enumerate(run.rows):
        np.testing.assert_array_equal(rows[:, : (k + 1) * width], sides[k][world.cast.nodes])
        assert not rows[:, (k + 1) * width :].any()
    user = int(world.cast.users[0])
    assert run.lists.items[3][0].tolist() == ranking(sides[3], user)[:LIST_LENGTH]


def test_data_without_validation_have_lists_and_no_recall(world, make_dataset) -> None:
    dataset = make_dataset(N_USERS, N_ITEMS, TRAIN, valid=[])
    cast = Cast.of(dataset, world.graph)
    run = contents.stage_run(
        "a",
        "A",
        world.layers,
        world.scoring,
        beyond_from=1,
        cast=cast,
        dataset=dataset,
        graph=world.graph,
    )
    assert run.recall.empty
    assert run.lists.items.shape == (4, N_USERS, LIST_LENGTH)
    assert run.lists.ranks.shape == (4, 0)
