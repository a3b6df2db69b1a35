"""Lessons 1 and 2: one step of propagation by hand, on three nodes and on a user of the sample data."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from rednd_core import wording
from rednd_core.cosine import unit_rows
from rednd_core.data.tables import shorten
from rednd_core.lessons.lesson import Claim, Question, Step, Way
from rednd_core.lessons.pictures import Picture, bars, line, lines, number, values
from rednd_core.lessons.world import World

STEPS = 8
NAMED = 26  # characters of a title that fit beside a node
USER_DEGREE = 5
HOPS = 4


@dataclass(frozen=True)
class Toy:
    """A graph that can be computed by hand; users first."""

    labels: tuple[str, ...]
    n_users: int
    edges: tuple[tuple[int, int], ...]
    start: NDArray[np.float64]

    @property
    def adjacency(self) -> NDArray[np.float64]:
        """A, (n, n)."""
        matrix = np.zeros((len(self.labels), len(self.labels)))
        for one, other in self.edges:
            matrix[one, other] = matrix[other, one] = 1
        return matrix

    @property
    def weights(self) -> NDArray[np.float64]:
        """1/sqrt(d_u d_v) where there is an edge, (n, n)."""
        matrix = self.adjacency
        degrees = matrix.sum(axis=1)
        return matrix / np.sqrt(np.outer(degrees, degrees))

    def layers(self, depth: int) -> list[NDArray[np.float64]]:
        """x^0 .. x^depth, (n, d) each."""
        made = [self.start]
        for _ in range(depth):
            made.append(self.weights @ made[-1])
        return made


THREE = Toy(
    ("Ada", "Ben", "Lamp"), 2, ((0, 2), (1, 2)), np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])
)
FOUR = Toy(
    ("Ada", "Ben", "Lamp", "Mug"),
    2,
    ((0, 2), (1, 2), (1, 3)),
    np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8], [1.0, 0.0]]),
)
ALIKE = 0.99


def by_hand(world: World) -> tuple[Step, ...]:
    """Lesson 1, which is the same in every world."""
    return (_three(), _one_step(), _more_steps())


def _three() -> Step:
    return Step(
        "three",
        "Mix a node with its neighbours",
        "Ada and Ben bought the same lamp. Each has a vector of two numbers. One step of "
        "[[propagation]] gives every node the weighted sum of its neighbours' vectors. "
        "Choose a node, then light up its sum term by term.",
        of_toy(THREE, 2),
        (
            Claim(
                "The weight of an edge is 1/√(d_u d_v): the [[degree]] of Ada is 1, that of the lamp is 2, "
                "and 1/√(1·2) = 0.71.",
                lambda p: (
                    p["degrees"] == [1, 1, 2] and abs(p["weights"][0][2] - 1 / sqrt(2)) < 1e-5
                ),
            ),
            Claim(
                "The lamp gets 0.71 times Ada and 0.71 times Ben: (0.71, 0.71).",
                lambda p: all(abs(value - 1 / sqrt(2)) < 1e-5 for value in p["layers"][1][2]),
            ),
        ),
    )


def _one_step() -> Step:
    return Step(
        "alike",
        "After one step",
        "Ada's vector is (1, 0), Ben's is (0, 1). They have nothing in common, apart from the lamp.",
        of_toy(THREE, 2, chosen=0),
        (
            Claim(
                "Both get 0.71 times the lamp and nothing else, so after one step they are the same: "
                "(0.42, 0.57). No model can tell them apart any more. This is [[over-smoothing]].",
                lambda p: p["layers"][1][0] == p["layers"][1][1] != [0, 0],
            ),
        ),
        Question(
            "How alike are Ada and Ben after one step?",
            ("They still have nothing in common", "They are somewhat alike", "They are the same"),
            2,
        ),
    )


def _more_steps() -> Step:
    layers = FOUR.layers(STEPS)
    unit = [unit_rows(layer) for layer in layers]
    users = [float(u[0] @ u[1]) for u in unit]
    items = [float(u[2] @ u[3]) for u in unit]
    picture = lines(
        "Cosine of two nodes",
        [line("Ada and Ben", users, "users"), line("Lamp and mug", items, "items")],
    )
    first = _first_alike(picture)
    options = sorted({1, first, STEPS})
    return Step(
        "mug",
        "One node more",
        "Ben also bought a mug, which Ada did not. Now Ben hears of something that Ada never bought. Does "
        "it keep them apart?",
        picture,
        (
            Claim(
                f"From step {first} on, the cosine of Ada and Ben is above {ALIKE}.",
                lambda p: (
                    1 < _first_alike(p) == first and min(values(p, "Ada and Ben")[first:]) > ALIKE
                ),
            ),
            Claim(
                f"The lamp and the mug end in the same way: {wording.cosine(items[-1])} after "
                f"{STEPS} steps. "
                "An edge that differs delays the end. It does not prevent it.",
                lambda p: (
                    values(p, "Lamp and mug")[0] < 0.7 < ALIKE < values(p, "Lamp and mug")[-1]
                ),
            ),
        ),
        Question(
            f"After how many steps is the cosine of Ada and Ben above {ALIKE} for good?",
            (*(str(k) for k in options), "Never"),
            options.index(first),
        ),
        before=of_toy(FOUR, 1, chosen=1),
    )


def _first_alike(picture: Picture) -> int:
    """The step from which on the users' cosine stays above ``ALIKE``; beyond the last where there is none."""
    series = values(picture, "Ada and Ben")
    below = [k for k, value in enumerate(series) if value <= ALIKE]
    return max(below, default=-1) + 1


def of_toy(toy: Toy, depth: int, chosen: int = 2) -> Picture:
    """The picture of a small graph, of which every node can be computed."""
    ends = {"users": range(toy.n_users), "items": range(toy.n_users, len(toy.labels))}
    places = [
        (0.2 if side == "users" else 0.8, (k + 1) / (len(of) + 1))
        for side, of in ends.items()
        for k, _ in enumerate(of)
    ]
    return hand_picture(
        toy.labels,
        toy.n_users,
        [int(degree) for degree in toy.adjacency.sum(axis=1)],
        places,
        toy.weights,
        toy.layers(depth),
        chosen,
        range(len(toy.labels)),
        "All nodes of the graph.",
    )


def hand_picture(
    labels: tuple[str, ...],
    n_users: int,
    degrees: list[int],
    places: list[tuple[float, float]],
    weights: NDArray[np.float64],
    layers: list[NDArray[np.float64]],
    chosen: int,
    computable: range,
    note: str,
) -> Picture:
    """A graph whose propagation can be followed term by term.

    Args:
        places: of the nodes, from 0 to 1. computable: nodes whose neighbours are all drawn.
        weights: (n, n). layers: (n, d) each.
        note: which part of which graph this is.
    """
    return {
        "kind": "by_hand",
        "labels": list(labels),
        "n_users": n_users,
        "degrees": degrees,
        "places": [list(place) for place in places],
        "weights": [[number(w) for w in row] for row in weights],
        "layers": [[[number(v) for v in row] for row in layer] for layer in layers],
        "chosen": chosen,
        "computable": list(computable),
        "note": note,
    }


def one_user(world: World) -> tuple[Step, ...]:
    """Lesson 2: the same sums for a user of the sample data and the vectors of a trained run."""
    user, items = _chosen_user(world)
    dataset, graph = world.dataset, world.graph
    nodes = np.concatenate([[user], items + dataset.n_users])
    matrix = graph.norm_adj.to_scipy(np.float64)[nodes][:, nodes].toarray()
    layers = [np.asarray(layer[nodes], dtype=np.float64) for layer in world.plain.layers[:2]]
    titles = [shorten(str(title), NAMED) for title in world.names.titles[nodes]]
    name = str(world.names.titles[user])
    angles = np.linspace(0.08, 0.92, len(items))
    picture = hand_picture(
        tuple(titles),
        1,
        [int(graph.degrees[node]) for node in nodes],
        [(0.12, 0.5), *((0.52, float(at)) for at in angles)],
        matrix,
        layers,
        0,
        range(1),
        f"{len(nodes)} of the {graph.n_nodes:,} nodes; vectors of {layers[0].shape[1]} numbers from "
        f"{world.plain.run.name}.",
    )
    rare = 1 + int(np.argmin(graph.degrees[nodes[1:]]))
    popular = 1 + int(np.argmax(graph.degrees[nodes[1:]]))
    sum_step = Step(
        "weights",
        f"The sum of {name}",
        f"{name} has {len(items)} train items. The vectors are the [[ego embeddings|ego embedding]] "
        "of LightGCN. "
        "Each colour strip is a vector: blue is above 0, red is below.",
        picture,
        (
            Claim(
                f"The rarest item counts most: “{titles[rare]}” with {picture['degrees'][rare]} "
                "buyers has the "
                f"weight {wording.cosine(matrix[0, rare])}, “{titles[popular]}” with "
                f"{picture['degrees'][popular]} has {wording.cosine(matrix[0, popular])}.",
                lambda p: (
                    max(p["weights"][0]) == p["weights"][0][rare]
                    and min(p["weights"][0][1:]) == p["weights"][0][popular]
                    and p["degrees"][rare] == min(p["degrees"][1:])
                ),
            ),
            Claim(
                "The sum of the terms is the vector of layer 1, in each of the "
                f"{layers[0].shape[1]} numbers.",
                lambda p: (
                    np.allclose(
                        np.array(p["weights"][0]) @ np.array(p["layers"][0]),
                        p["layers"][1][0],
                        atol=1e-4,
                    )
                    and bool(np.abs(p["layers"][1][0]).max() > 0)
                ),
            ),
        ),
        Question(
            "Which item counts most in the sum?",
            ("The most popular one", "The rarest one", "All count the same"),
            1,
        ),
        before={**picture, "closed": True},
        way=Way(
            "This user's lists by depth",
            "depth",
            {"run": world.plain.run.name, "user": str(world.dataset.user_ids[user])},
        ),
    )
    return (sum_step, _reach(world, user, name))


def _reach(world: World, user: int, name: str) -> Step:
    dataset, graph = world.dataset, world.graph
    adjacency = graph.adjacency
    reached = np.zeros(graph.n_nodes)
    reached[user] = 1
    shares: dict[str, float] = {}
    for step in range(1, HOPS + 1):
        reached = (adjacency @ reached > 0).astype(np.float64)
        items = bool(step % 2)
        n = int(reached.sum())
        of = int((graph.degrees[dataset.n_users :] > 0).sum()) if items else _linked_users(world)
        shares[f"step {step}: {n:,} of {of:,} {'items' if items else 'users'}"] = n / of
    picture = bars(
        f"Share of the nodes whose x⁰ takes part in the vector of {name}",
        shares,
        colors=("items", "users"),
    )
    first, last = picture["bars"][0]["value"], picture["bars"][-1]["value"]
    return Step(
        "reach",
        "Who has a say after more steps?",
        "After one step the vector is made of the own items. After two steps it is made of all users who "
        "have one of these items, and so on. Nodes without a train interaction are not counted.",
        picture,
        (
            Claim(
                f"After {HOPS} steps {last:.0%} take part, after one step {first:.1%}. When "
                "everybody is a mixture "
                "of the same nodes, everybody looks alike.",
                lambda p: p["bars"][-1]["value"] > 0.9 > 0.05 > p["bars"][0]["value"] > 0,
            ),
        ),
        Question(
            f"How many of all users take part in the vector of {name} after {HOPS} steps?",
            ("A few dozen", "About a third", "Nearly all"),
            2,
        ),
    )


def _linked_users(world: World) -> int:
    return int((world.graph.degrees[: world.dataset.n_users] > 0).sum())


def _chosen_user(world: World) -> tuple[int, NDArray[np.int64]]:
    """The user of ``USER_DEGREE`` train items whose items differ most in popularity, and the items."""
    train, degrees = world.dataset.train, world.graph.degrees
    order = np.argsort(train.users, kind="stable")
    users, items = train.users[order], train.items[order]
    able = np.flatnonzero(degrees[: world.dataset.n_users] == USER_DEGREE)
    begins = np.searchsorted(users, able)
    baskets = items[begins[:, None] + np.arange(USER_DEGREE)]
    popularity = degrees[world.dataset.n_users + baskets]
    best = int(np.argmax(popularity.max(axis=1) / popularity.min(axis=1)))
    return int(able[best]), np.sort(baskets[best])
