"""Lesson 3: how distances vanish with depth."""

from __future__ import annotations

import numpy as np

from rednd_core import wording
from rednd_core.lessons.lesson import Claim, Question, Step, Way
from rednd_core.lessons.pictures import Picture, cut, line, lines, switch, values
from rednd_core.lessons.world import LessonRun, World
from rednd_core.stage.depths import DEPTH

FALLEN = 0.01  # of the distance at layer 0: what is left of it after a collapse
SLIGHT = 0.002  # two MADs of vectors without a common direction differ by less


def mad_falls(world: World) -> tuple[Step, ...]:
    """Lesson 3."""
    return (_falls(world), _zigzag(world.without), _later(world))


def mad_lines(run: LessonRun, *sides: str) -> Picture:
    """MAD by layer, a line a side."""
    return lines(
        "[[MAD]] by layer",
        [line(side, run.curve("mad", side), side) for side in sides or ("users", "items")],
        beyond=run.trained_depth,
    )


def _falls(world: World) -> Step:
    run = world.without
    picture = mad_lines(run)
    ends = {side: values(picture, side) for side in ("users", "items")}
    return Step(
        "falls",
        "What is left of the distances?",
        "[[MAD]] is the mean cosine distance between two users, or between two items: 1 means no common "
        f"direction, 0 means that all point the same way. The model was trained with {run.trained_depth} "
        "layers. Its propagation only multiplies by the graph, so it can go on.",
        picture,
        (
            Claim(
                f"In this one training the MAD of users at layer {DEPTH} is "
                f"{wording.measure(ends['users'][-1])}, that of items "
                f"{wording.measure(ends['items'][-1])}: less than a hundredth of layer 0. Each side has "
                "[[collapsed|collapse]] onto one direction.",
                lambda p: all(
                    0 <= values(p, side)[-1] < FALLEN * values(p, side)[0]
                    for side in ("users", "items")
                ),
            ),
        ),
        Question(
            f"How much of the users' MAD is left at layer {DEPTH}?",
            ("About a half", "About a tenth", "Less than a hundredth"),
            2,
        ),
        before=cut(picture, run.trained_depth),
        way=Way("See it as a map", "depth", {"run": run.run.name, "depth": str(DEPTH)}),
    )


def _zigzag(run: LessonRun) -> Step:
    users, items = run.curve("mad", "users"), run.curve("mad", "items")
    chains = lines(
        "[[MAD]] along each chain",
        [
            line(
                "from the users' x⁰", [(users, items)[k % 2][k] for k in range(DEPTH + 1)], "users"
            ),
            line(
                "from the items' x⁰", [(items, users)[k % 2][k] for k in range(DEPTH + 1)], "items"
            ),
        ],
        beyond=run.trained_depth,
    )
    rises = [k for k in range(1, DEPTH + 1) if users[k] > users[k - 1]]
    first = rises[0] if rises else 1
    picture = switch(
        {"Join": ("the layers of a chain", "the layers of a side")},
        {"0": chains, "1": mad_lines(run)},
    )
    return Step(
        "zigzag",
        "Why the line zigzags",
        f"From layer {first - 1} to layer {first} the MAD of users goes up. Yet users' vectors are made of "
        "items' vectors alone, and items' vectors of users' vectors alone. So there are two chains: users "
        "at layer 0 make items at layer 1, which make users at layer 2.",
        picture,
        (
            Claim(
                f"Along a side, MAD rises {len(rises)} times.",
                lambda p: _rises(p["pictures"]["1"], "users", 0) == len(rises) > 0,
            ),
            Claim(
                "Along each chain it falls at every step. The zigzag is two falling lines, seen in turn.",
                lambda p: all(
                    _rises(p["pictures"]["0"], one["label"], SLIGHT) == 0
                    and one["values"][-1] < one["values"][0]
                    for one in p["pictures"]["0"]["series"]
                ),
            ),
        ),
        Question(
            "Why does the line of users go up again?",
            (
                "Odd and even layers come from different ends: users' x⁰ and items' x⁰",
                "Training was stopped there",
                "Rounding errors",
            ),
            0,
        ),
        before=mad_lines(run),
    )


def _rises(picture: Picture, label: str, slight: float) -> int:
    """How often a line goes up by more than ``slight``."""
    return int((np.diff(values(picture, label)) > slight).sum())


def _later(world: World) -> Step:
    picture = lines(
        "[[MAD]] of users by layer",
        [
            line("without alignment", world.without.curve("mad", "users"), "one"),
            line("with alignment", world.aligned.curve("mad", "users"), "two"),
        ],
        beyond=world.without.trained_depth,
    )
    at = world.without.trained_depth
    less, more = values(picture, "without alignment"), values(picture, "with alignment")
    return Step(
        "later",
        "Does the alignment prevent it?",
        "[[RedNⁿD's alignment|alignment]] keeps each node close to its own beginning. Both models were "
        "trained in the same way, apart from the weight of this loss.",
        picture,
        (
            Claim(
                f"At layer {at}, the depth of training, MAD is {wording.measure(more[at])} with it and "
                f"{wording.measure(less[at])} without it, in this one training of each.",
                lambda p: (
                    values(p, "with alignment")[at] > values(p, "without alignment")[at] + 0.1
                ),
            ),
            Claim(
                f"At layer {DEPTH} both have collapsed: {wording.measure(more[-1])} and "
                f"{wording.measure(less[-1])}. The alignment changes what is learned, not what the "
                "graph does.",
                lambda p: (
                    max(one["values"][-1] for one in p["series"])
                    < FALLEN
                    < min(one["values"][0] for one in p["series"])
                ),
            ),
        ),
        Question(
            f"What does the alignment do to MAD at layer {DEPTH}?",
            (
                "It keeps MAD near 1",
                "MAD falls later, but it falls all the same",
                "Nothing at any layer",
            ),
            1,
        ),
        before=cut(picture, at),
        way=Way(
            "Both on one slider",
            "depth",
            {"run": world.without.run.name, "vs": world.aligned.run.name},
        ),
    )
