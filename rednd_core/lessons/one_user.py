"""Lesson 2: the sums of lesson 1 for a user of the sample data."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rednd_core import wording
from rednd_core.data.tables import shorten
from rednd_core.lessons.hand import hand_picture
from rednd_core.lessons.lesson import Claim, Question, Step, Way
from rednd_core.lessons.pictures import bars
from rednd_core.lessons.world import World

NAMED = 26  # characters of a title that fit beside a node
USER_DEGREE = 5
HOPS = 4


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
            ("The rarest one", "The most popular one", "All count the same"),
            0,
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
