"""Numbers of lessons against sums by hand and plain loops."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from rednd_core.data.schema import Interactions
from rednd_core.graph.bipartite import bipartite_graph
from rednd_core.lessons.failing import find_misled, same_category
from rednd_core.lessons.hand import FOUR, THREE
from rednd_core.lessons.pictures import bars, cut, line, lines, panel, values
from rednd_core.lessons.remedy_functions import Remedy, propagated
from tests.lessons.conftest import of, world


def test_three_nodes_as_on_paper() -> None:
    half = 1 / sqrt(2)
    ada, ben, lamp = THREE.layers(1)[1]
    assert ada == pytest.approx([0.6 * half, 0.8 * half])
    assert list(ben) == list(ada)
    assert lamp == pytest.approx([half, half])


def test_four_nodes_as_on_paper() -> None:
    ada, ben, lamp, mug = FOUR.layers(1)[1]
    assert ada == pytest.approx([0.6 / sqrt(2), 0.8 / sqrt(2)])
    assert ben == pytest.approx([0.6 / 2 + 1 / sqrt(2), 0.8 / 2])
    assert lamp == pytest.approx([1 / sqrt(2), 1 / 2])
    assert mug == pytest.approx([0, 1 / sqrt(2)])


def test_the_sum_of_one_user_is_the_layer_of_the_run() -> None:
    picture = of("shop", 2).steps[0].picture
    data = world("shop").dataset
    degrees = picture["degrees"]
    for number, expected in enumerate(picture["layers"][1][0]):
        total = sum(
            vector[number] / sqrt(degrees[0] * degrees[k])
            for k, vector in enumerate(picture["layers"][0])
            if k
        )
        assert total == pytest.approx(expected, abs=1e-5)
    user = next(u for u in range(data.n_users) if (data.train.users == u).sum() == degrees[0])
    assert degrees[0] == (data.train.users == user).sum()


PAIRS = Interactions(np.array([0, 0, 1, 2, 2]), np.array([0, 1, 1, 1, 2]))


def dense(x0: np.ndarray, graph, depth: int, remedy: Remedy) -> np.ndarray:
    """The last layer, by loops over nodes and their neighbours."""
    x = x0.copy()
    neighbours = {n: graph.adjacency[[n]].indices for n in range(graph.n_nodes)}
    for _ in range(depth):
        y = np.zeros_like(x)
        for node, others in neighbours.items():
            for other in others:
                y[node] += x[other] / sqrt(len(others) * len(neighbours[other]))
        x = (1 - remedy.residual) * y + remedy.residual * x0
        if remedy.pair_norm:
            for side in (range(graph.n_users), range(graph.n_users, graph.n_nodes)):
                rows = [n for n in side if len(neighbours[n])]
                mean = sum(x[n] for n in rows) / len(rows)
                for n in rows:
                    x[n] = x[n] - mean
                size = sum(x[n] @ x[n] for n in rows)
                wanted = sum(x0[n] @ x0[n] for n in rows)
                for n in rows:
                    x[n] = x[n] * sqrt(wanted / size)
    return x


@pytest.mark.parametrize(
    "remedy",
    [Remedy(), Remedy(residual=0.3), Remedy(pair_norm=True), Remedy(0.1, 0.0, True)],
    ids=["none", "residual", "pair norm", "both"],
)
def test_remedies_are_those_of_the_equations(remedy: Remedy) -> None:
    graph = bipartite_graph(PAIRS, 3, 3)
    x0 = np.random.default_rng(0).normal(size=(6, 2))
    *_, last = propagated(x0, graph, 3, remedy)
    assert last == pytest.approx(dense(x0, graph, 3, remedy))


def test_dropped_edges_are_normalised_by_what_is_left() -> None:
    graph = bipartite_graph(PAIRS, 3, 3)
    x0 = np.eye(6)
    *_, first = propagated(x0, graph, 1, Remedy(dropped=0.5))
    kept = (first > 0).astype(float)
    assert 0 < kept.sum() < graph.adjacency.nnz
    assert (kept <= graph.adjacency.toarray()).all()
    assert (kept == kept.T).all()
    degrees = kept.sum(axis=1)
    for one, other in np.argwhere(kept):
        assert first[one, other] == pytest.approx(1 / sqrt(degrees[one] * degrees[other]))
    again = list(propagated(x0, graph, 1, Remedy(dropped=0.5)))
    assert (again[1] == first).all()


def test_neighbours_of_the_same_category_by_hand() -> None:
    # Two bundles of eleven items: the ten nearest of each are its own bundle, apart from one stranger.
    angles = np.concatenate([np.linspace(0, 0.1, 11), np.linspace(2, 2.1, 11)])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    category = np.repeat([0, 1], 11)
    category[0] = 1
    found = same_category(vectors, category)
    assert found[0] == 0
    assert found[1] == pytest.approx(0.9)
    assert found[12] == 1


def test_the_misled_item_is_what_the_lesson_says() -> None:
    of_shop = world("shop")
    truth, data = of_shop.truth, of_shop.dataset
    cards = of("shop", 9).steps[1].picture["columns"][1]["cards"]
    (wrong,) = [card for card in cards if card["mark"] == "wrong"]
    (item,) = np.flatnonzero(data.items["title"] == wrong["text"])
    assert truth.kinds[truth.kind[item]] == "mixed_up"
    assert data.items["category"][item] == truth.categories[truth.category[item]]
    assert wrong["note"].endswith(truth.categories[truth.shown[item]])


def test_no_misled_item_is_found_among_true_features() -> None:
    of_shop = world("shop")
    true = np.flatnonzero(of_shop.truth.kind == 0)[:10]
    own = np.tile(true, (of_shop.dataset.n_users, 1))
    with pytest.raises(ValueError, match="empty"):
        find_misled(of_shop, own, own)


def test_what_is_not_predicted_yet_is_left_out_on_the_same_axis() -> None:
    whole = lines("MAD", [line("users", [0.5, 0.9, 0.1], "users")])
    part = cut(whole, 0)
    assert values(part, "users") == [0.5]
    assert part["top"] == 0.9
    assert len(part["series"][0]["values"]) == 3


def test_what_is_not_defined_is_a_gap() -> None:
    assert bars("MAD", {"a": float("nan")})["bars"][0]["value"] is None
    assert line("a", [float("inf"), 0.12345678], "one")["values"] == [None, 0.123457]


def test_a_panel_has_its_points_within_its_edges() -> None:
    coords = np.array([[1.0, -2.0], [0.0, 4.0]], dtype=np.float32)
    assert panel("a", coords, 4.0, {})["coords"]["shape"] == [1, 2, 2]
