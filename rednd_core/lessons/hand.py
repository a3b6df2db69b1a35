"""Lesson 1: propagation by hand, on three nodes."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from rednd_core import wording
from rednd_core.cosine import unit_rows
from rednd_core.lessons.lesson import Claim, Question, Step
from rednd_core.lessons.pictures import Picture, line, lines, number, values
from rednd_core.lessons.world import World

STEPS = 8


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
