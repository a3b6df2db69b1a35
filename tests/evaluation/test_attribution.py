"""Attribution and what-if against dense matrices: powers of an adjacency that a loop filled in."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.sparse as sp

from rednd_core.data import load_dataset
from rednd_core.data.schema import Interactions
from rednd_core.errors import ConfigError, DataError
from rednd_core.evaluation.attribution import (
    ITEM_GRAPH,
    OWN,
    TRAIN_ITEM,
    TRAIN_USER,
    attribute,
)
from rednd_core.evaluation.linear import SAME, linear_model, readout_weights, reproduce
from rednd_core.evaluation.what_if import NO_RANK, Change, what_if
from rednd_core.graph.semantic import semantic_graph
from rednd_core.readout import Readout
from rednd_core.runs import Run

N_USERS, N_ITEMS, WIDTHS = 9, 7, {"image": 3, "text": 4}
SHOP = Path(__file__).parents[2] / "sample_data" / "shop"


def dense_adjacency(ratings: np.ndarray) -> np.ndarray:
    """D^-1/2 A D^-1/2, entry by entry."""
    n_users, n_items = ratings.shape
    full = np.zeros((n_users + n_items, n_users + n_items))
    for user in range(n_users):
        for item in range(n_items):
            if ratings[user, item]:
                degree = ratings[user].sum() * ratings[:, item].sum()
                full[user, n_users + item] = full[n_users + item, user] = degree**-0.5
    return full


def dense_scores(world, ratings=None, weights=None, modalities=tuple(WIDTHS)) -> np.ndarray:
    """All scores, from the definition."""
    adjacency = dense_adjacency(world.ratings if ratings is None else ratings)
    weights = world.weights if weights is None else weights
    scores = np.zeros((N_USERS, N_ITEMS))
    for m in modalities:
        powers = [np.linalg.matrix_power(adjacency, k) for k in range(len(weights))]
        z = sum(w * power @ world.ego[m] for w, power in zip(weights, powers, strict=True))
        items = z[N_USERS:] + world.item_graph @ z[N_USERS:]
        scores += (world.shares[m][:, None] * z[:N_USERS]) @ items.T
    return scores


@pytest.fixture(params=range(4))
def world(request):
    """A random model as a run would hold it: user 8 and item 6 have no interaction."""
    rng = np.random.default_rng(request.param)
    ratings = (rng.random((N_USERS, N_ITEMS)) < 0.4).astype(np.float64)
    ratings[N_USERS - 1], ratings[:, N_ITEMS - 1] = 0, 0
    depth = (0, 1, 2, 3)[request.param]
    rule, first = (("sum", 0), ("mean", 1), ("last", 0), ("mean", 0))[request.param]
    weights = readout_weights(Readout(rule, first), depth)
    ego = {m: rng.normal(size=(N_USERS + N_ITEMS, d)) for m, d in WIDTHS.items()}
    shares = {m: rng.normal(size=N_USERS) for m in WIDTHS}
    item_graph = rng.random((N_ITEMS, N_ITEMS)) * (rng.random((N_ITEMS, N_ITEMS)) < 0.4)
    adjacency = dense_adjacency(ratings)
    layers = {
        m: [np.linalg.matrix_power(adjacency, k) @ x for k in range(depth + 1)]
        for m, x in ego.items()
    }
    z = {m: sum(w * x for w, x in zip(weights, layers[m], strict=True)) for m in WIDTHS}
    users = np.hstack([shares[m][:, None] * z[m][:N_USERS] for m in WIDTHS])
    items = np.hstack([z[m][N_USERS:] + item_graph @ z[m][N_USERS:] for m in WIDTHS])
    return SimpleNamespace(
        ratings=ratings,
        train=sp.csr_array(ratings),
        weights=weights,
        ego=ego,
        shares=shares,
        item_graph=item_graph,
        adjacency=adjacency,
        layers=layers,
        users=users,
        items=items,
    )


def of(world, user: int, item: int):
    return attribute(world.layers, world.weights, world.users, world.items, world.train, user, item)


def chosen(table, modality: str, part: str | None = None):
    """Rows of a modality, and of one kind of part."""
    of_modality = table[table["modality"] == modality]
    return of_modality if part is None else of_modality[of_modality["part"] == part]


def test_the_parts_add_up_to_every_score(world):
    scores = dense_scores(world)
    for user in range(N_USERS):
        for item in range(N_ITEMS):
            found = of(world, user, item)
            assert found.score == pytest.approx(scores[user, item], abs=1e-9)
            assert found.by_history["value"].sum() == pytest.approx(found.score, abs=1e-9)
            assert found.by_audience["value"].sum() == pytest.approx(found.score, abs=1e-9)
            pairs = sum(part.sum() for part in found.by_layers.values())
            pairs += sum(part.sum() for part in found.by_item_graph.values())
            assert pairs == pytest.approx(found.score, abs=1e-9)
            assert found.exact
            assert found.sentence == "The parts add up to the score."


def test_each_part_is_what_the_equation_says(world):
    """The term of a train item is what reaches the user over that one last edge."""
    user, item = 2, 1
    found = of(world, user, item)
    for m in WIDTHS:
        start, weights = world.ego[m], world.weights
        target = (np.eye(N_ITEMS) + world.item_graph)[item] @ sum(
            w * x[N_USERS:] for w, x in zip(weights, world.layers[m], strict=True)
        )
        rows = chosen(found.by_history, m)
        assert chosen(rows, m, OWN)["value"].item() == pytest.approx(
            world.shares[m][user] * weights[0] * start[user] @ target
        )
        for other in range(N_ITEMS):
            edge = world.adjacency[user, N_USERS + other]
            reached = sum(
                weights[k] * edge * np.linalg.matrix_power(world.adjacency, k - 1)[N_USERS + other]
                for k in range(1, len(weights))
            )
            term = world.shares[m][user] * np.asarray(reached @ start if len(weights) > 1 else 0.0)
            listed = rows[(rows["part"] == TRAIN_ITEM) & (rows["item"] == other)]
            assert len(listed) == int(world.ratings[user, other])
            if len(listed):
                wanted = term @ target if len(weights) > 1 else 0.0
                assert listed["value"].item() == pytest.approx(wanted, abs=1e-12)
        for a, wa in enumerate(weights):
            for b, wb in enumerate(weights):
                pair = wa * wb * world.layers[m][a][user] @ world.layers[m][b][N_USERS + item]
                assert found.by_layers[m][a, b] == pytest.approx(
                    world.shares[m][user] * pair, abs=1e-12
                )


def test_the_item_graph_has_its_own_part(world):
    user, item = 2, 1
    found = of(world, user, item)
    for m in WIDTHS:
        z = sum(w * x for w, x in zip(world.weights, world.layers[m], strict=True))
        wanted = world.shares[m][user] * z[user] @ (world.item_graph @ z[N_USERS:])[item]
        rows = chosen(found.by_audience, m, ITEM_GRAPH)
        assert rows["value"].item() == pytest.approx(wanted, abs=1e-12)
        carried = chosen(found.by_history, m)["item_graph"].sum()
        assert carried == pytest.approx(wanted, abs=1e-12)
        assert found.by_item_graph[m].sum() == pytest.approx(wanted, abs=1e-12)
        users = chosen(found.by_audience, m, TRAIN_USER)["user"]
        assert users.tolist() == np.flatnonzero(world.ratings[:, item]).tolist()


def test_columns_beyond_the_modalities_are_a_part(world):
    """VBPR's item bias: a column of ones beside a column of biases."""
    users = np.hstack([world.users, np.ones((N_USERS, 1))])
    items = np.hstack([world.items, np.arange(N_ITEMS)[:, None]])
    found = attribute(world.layers, world.weights, users, items, world.train, 1, 3)
    assert found.other == 3.0
    assert found.exact
    assert found.by_history["value"].sum() + 3.0 == pytest.approx(found.score)


def test_a_model_that_is_not_linear_says_by_how_much_it_misses(world):
    layers = {m: [np.tanh(x) for x in states] for m, states in world.layers.items()}
    z = {m: sum(w * x for w, x in zip(world.weights, layers[m], strict=True)) for m in WIDTHS}
    users = np.hstack([z[m][:N_USERS] for m in WIDTHS])
    items = np.hstack([z[m][N_USERS:] for m in WIDTHS])
    found = attribute(layers, world.weights, users, items, world.train, 0, 0)
    sums = [
        found.by_history["value"].sum(),
        found.by_audience["value"].sum(),
        sum(part.sum() for part in found.by_layers.values()),
    ]
    missed = max((found.score - total for total in sums), key=abs)
    assert found.off == pytest.approx(missed, abs=1e-12)
    if len(world.weights) > 1:
        assert not found.exact
        assert f"by {found.off:+.3f}" in found.sentence


def test_what_does_not_fit_is_refused(world):
    with pytest.raises(DataError, match="7 columns, those of image, text"):
        attribute(
            world.layers, world.weights, world.users[:, :5], world.items[:, :5], world.train, 0, 0
        )
    with pytest.raises(DataError, match="readout weight"):
        attribute(world.layers, (1.0,) * 9, world.users, world.items, world.train, 0, 0)
    with pytest.raises(DataError, match="item 7"):
        of(world, 0, N_ITEMS)
    with pytest.raises(DataError, match="8 and 7"):
        attribute(world.layers, world.weights, world.users[1:], world.items, world.train, 0, 0)


def model(world):
    return linear_model(
        world.train, world.layers, world.users, world.weights, sp.csr_array(world.item_graph)
    )


def scores_of(found) -> np.ndarray:
    users, items = found.embeddings
    return users.astype(np.float64) @ items.astype(np.float64).T


def test_the_model_scores_as_the_run_does(world):
    np.testing.assert_allclose(scores_of(model(world)), dense_scores(world), atol=1e-5)


def test_a_run_is_reproduced_with_the_item_graph_on_the_readout_or_on_x0(world):
    """RedNⁿD mixes z, FREEDOM mixes x^0; a run does not say which."""
    graph = sp.csr_array(world.item_graph)
    found, off = reproduce(
        world.train, world.layers, world.users, world.items, world.weights, graph
    )
    assert off < SAME
    np.testing.assert_allclose(scores_of(found), dense_scores(world), atol=1e-5)

    z = {m: sum(w * x for w, x in zip(world.weights, world.layers[m], strict=True)) for m in WIDTHS}
    items = np.hstack([z[m][N_USERS:] + world.item_graph @ world.ego[m][N_USERS:] for m in WIDTHS])
    found, off = reproduce(world.train, world.layers, world.users, items, world.weights, graph)
    assert off < SAME
    np.testing.assert_allclose(scores_of(found), world.users @ items.T, atol=1e-5)


def test_how_far_off_the_nearest_linear_model_is(world):
    off = reproduce(world.train, world.layers, world.users, world.items + 1, world.weights)[1]
    model_items = linear_model(world.train, world.layers, world.users, world.weights).embeddings[1]
    wanted = np.abs(model_items - (world.items + 1)).max() / np.abs(world.items + 1).max()
    assert off == pytest.approx(wanted, rel=1e-5)
    wider = np.hstack([world.items, np.ones((N_ITEMS, 1))])  # with an item bias
    assert reproduce(world.train, world.layers, world.users, wider, world.weights)[1] == np.inf


def changes(world, user):
    have = np.flatnonzero(world.ratings[user])
    lack = np.setdiff1d(np.arange(N_ITEMS), have)
    return tuple(map(int, lack[:2])), tuple(map(int, have[:1]))


def test_another_history_is_propagated_from_scratch(world):
    add, remove = changes(world, 2)
    ratings = world.ratings.copy()
    ratings[2, list(add)], ratings[2, list(remove)] = 1, 0
    found = Change(add=add, remove=remove).of(model(world), 2)
    np.testing.assert_array_equal(found.train_matrix.toarray(), ratings)
    np.testing.assert_allclose(scores_of(found), dense_scores(world, ratings), atol=1e-5)
    np.testing.assert_array_equal(world.train.toarray(), world.ratings)  # the run's is as it was


def test_without_a_modality_and_at_another_depth(world):
    found = Change(without=("image",)).of(model(world), 0)
    np.testing.assert_allclose(
        scores_of(found), dense_scores(world, modalities=("text",)), atol=1e-5
    )
    for depth in (0, 1, 4):
        weights = readout_weights(Readout(), depth)
        found = Change(weights=weights).of(model(world), 0)
        wanted = dense_scores(world, weights=weights)
        # What a user whose vector is zero weighs cannot be read off it.
        known = world.users.any(axis=1)
        np.testing.assert_allclose(scores_of(found)[known], wanted[known], atol=1e-5)


def test_without_popularity_the_mean_user_scores_zero(world):
    """And every user gets what they get beyond the mean of all users."""
    scores = dense_scores(world)
    found = Change(without_popularity=True).of(model(world), 0)
    np.testing.assert_allclose(scores_of(found), scores - scores.mean(axis=0), atol=1e-5)


def test_lists_and_ranks_before_and_after(world):
    user = 2
    add, remove = changes(world, user)
    ratings = world.ratings.copy()
    ratings[user, list(add)], ratings[user, list(remove)] = 1, 0

    def ranking(scores, seen):
        unseen = [i for i in range(N_ITEMS) if not seen[i]]
        return sorted(unseen, key=lambda i: (-scores[i], i))

    found = what_if(model(world), Change(add=add, remove=remove), user, k=2)
    before = ranking(dense_scores(world)[user], world.ratings[user])
    after = ranking(dense_scores(world, ratings)[user], ratings[user])
    assert found.before.listed["item"].tolist() == before[:2]
    assert found.after.listed["item"].tolist() == after[:2]
    moved = found.moved.set_index("item")
    for item in {*add, *remove, *before[:2], *after[:2]}:
        ranks = [order.index(item) + 1 if item in order else NO_RANK for order in (before, after)]
        assert moved.loc[item, ["rank_before", "rank_after"]].tolist() == ranks
    assert [rank for rank in moved["rank_after"] if rank] == sorted(
        rank for rank in moved["rank_after"] if rank
    )


def test_held_out_items_are_followed(world):
    user = 2
    held = Interactions(np.array([user]), np.flatnonzero(world.ratings[user] == 0)[-1:])
    found = what_if(model(world), Change(without=("text",)), user, k=1, held_out=held)
    assert held.items[0] in found.moved["item"].tolist()


def test_impossible_changes_are_refused(world):
    add, remove = changes(world, 2)
    with pytest.raises(DataError, match="not in the history"):
        Change(add=remove).of(model(world), 2)
    with pytest.raises(DataError, match="not in the history"):
        Change(remove=add).of(model(world), 2)
    with pytest.raises(ConfigError, match="modality"):
        Change(without=("sound",)).of(model(world), 2)
    with pytest.raises(ConfigError, match="at least one modality"):
        Change(without=tuple(WIDTHS)).of(model(world), 2)
    with pytest.raises(ConfigError, match="weighted sum"):
        readout_weights(Readout("concat"), 1)


@pytest.mark.parametrize(
    ("rule", "first", "depth", "wanted"),
    [
        ("mean", 0, 3, (0.25, 0.25, 0.25, 0.25)),
        ("mean", 1, 3, (0, 1 / 3, 1 / 3, 1 / 3)),
        ("sum", 0, 2, (1, 1, 1)),
        ("last", 0, 2, (0, 0, 1)),
        ("mean", 1, 0, (1,)),
    ],
)
def test_weights_of_the_layers(rule, first, depth, wanted):
    assert readout_weights(Readout(rule, first), depth) == pytest.approx(wanted)


def fused_item_graph(data) -> sp.csr_array:
    """RedNⁿD's S with its defaults: 10 neighbours, image .1 and text .9."""
    graphs = {m: semantic_graph(data.features[m], 10).to_scipy(np.float64) for m in WIDTHS}
    return sp.csr_array(0.1 * graphs["image"] + 0.9 * graphs["text"])


@pytest.mark.parametrize("name", ["shop-lightgcn", "shop-rednnd-a0", "shop-rednnd-a0.1"])
def test_bundled_runs_add_up(name):
    data = load_dataset(SHOP)
    layers = Run(SHOP / "runs" / name).layers()
    rule = "mean" if name == "shop-lightgcn" else "sum"
    weights = readout_weights(Readout(rule), 3)
    rng = np.random.default_rng(0)
    for user, item in zip(rng.integers(1000, size=20), rng.integers(600, size=20), strict=True):
        found = attribute(
            layers, weights, layers.user_emb, layers.item_emb, data.train_matrix, user, item
        )
        scale = max(1.0, abs(found.score))
        for table in (found.by_history, found.by_audience):
            assert table["value"].sum() == pytest.approx(found.score, abs=1e-5 * scale)
        assert found.exact
        if rule == "mean":  # no item graph
            graph = chosen(found.by_audience, "id", ITEM_GRAPH)["value"]
            assert graph.abs().max() < 1e-5 * scale


@pytest.mark.parametrize("name", ["shop-lightgcn", "shop-rednnd-a0.1"])
def test_bundled_runs_are_scored_again_from_their_first_layer(name):
    data = load_dataset(SHOP)
    layers = Run(SHOP / "runs" / name).layers()
    has_graph = name != "shop-lightgcn"
    found = linear_model(
        data.train_matrix,
        layers,
        layers.user_emb,
        readout_weights(Readout("sum" if has_graph else "mean"), 3),
        fused_item_graph(data) if has_graph else None,
    )
    users, items = found.embeddings
    np.testing.assert_allclose(users, layers.user_emb, atol=2e-5)
    np.testing.assert_allclose(items, layers.item_emb, atol=2e-5)
