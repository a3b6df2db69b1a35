"""Lessons 3 to 5: what depth does to distances and to lists, and what the readout hides."""

from __future__ import annotations

import numpy as np

from rednd_core import wording
from rednd_core.lessons.lesson import Claim, Question, Step, Way
from rednd_core.lessons.pictures import (
    Picture,
    bar,
    bars,
    cut,
    line,
    lines,
    switch,
    values,
)
from rednd_core.lessons.world import DEPTH, LessonRun, World, popularity, recall
from rednd_core.smoothness.depth import propagate_depth

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
                f"At layer {DEPTH} the MAD of users is {wording.measure(ends['users'][-1])}, that of items "
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
                "Training was stopped there",
                "Odd and even layers come from different ends: users' x⁰ and items' x⁰",
                "Rounding errors",
            ),
            1,
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
                f"{wording.measure(less[at])} without it.",
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


def not_damage(world: World) -> tuple[Step, ...]:
    """Lesson 4."""
    return (_rises_first(world.plain), _random(world), _degree(world))


def _rises_first(run: LessonRun) -> Step:
    found = run.recall()
    picture = lines(
        "[[Recall@20|recall@k]] and [[MAD]] by layer",
        [
            line("Recall@20", found, "one"),
            line("MAD of users", run.curve("mad", "users"), "users", dash=True),
        ],
        beyond=run.trained_depth,
    )
    best = int(np.argmax(found))
    options = sorted({0, best, DEPTH // 2, DEPTH})
    return Step(
        "rises",
        "Where are the lists best?",
        "Let the vectors of one layer alone make the lists, for every layer. [[Recall@K|recall@k]] "
        "is the share of "
        "a user's [[held-out items|held-out item]] among the first 20.",
        picture,
        (
            Claim(
                f"Recall@20 is highest at layer {best}: {wording.metric(found[best])}. At layer 0 it is "
                f"{wording.metric(found[0])}, at layer {DEPTH} it is {wording.metric(found[-1])}.",
                lambda p: (
                    int(np.argmax(values(p, "Recall@20"))) == best
                    and 0 < best < DEPTH
                    and values(p, "Recall@20")[0] > values(p, "Recall@20")[-1]
                ),
            ),
            Claim(
                "Up to there MAD has fallen all the while. So the first smoothing helps.",
                lambda p: bool(np.all(np.diff(values(p, "MAD of users")[: best + 1]) < 0)),
            ),
        ),
        Question(
            "At which layer is Recall@20 highest?",
            tuple(f"Layer {k}" for k in options),
            options.index(best),
        ),
        before=lines(
            "[[MAD]] by layer",
            [line("MAD of users", run.curve("mad", "users"), "users", dash=True)],
            beyond=run.trained_depth,
        ),
    )


def _random(world: World) -> Step:
    run = world.plain
    shape = run.layers[0].shape
    start = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    noise = propagate_depth(start, world.graph, 0)[0]
    best = int(np.argmax(run.recall()))
    labels = ("random vectors", "trained, layer 0", f"trained, layer {best}")
    picture = bars(
        "[[Recall@20|recall@k]]",
        dict(
            zip(
                labels,
                (recall(noise, world.dataset), run.recall()[0], run.recall()[best]),
                strict=True,
            )
        ),
        colors=("three", "one", "one"),
    )
    return Step(
        "random",
        "A perfect MAD is no merit",
        "Vectors drawn at random have no common direction: their MAD is 1, the best there is.",
        picture,
        (
            Claim(
                f"Their Recall@20 is {wording.metric(bar(picture, labels[0]))}. The best layer has "
                f"{wording.metric(bar(picture, labels[2]))} with a MAD of "
                f"{wording.measure(run.curve('mad', 'users')[best])} for users. Distance alone says "
                "nothing of quality.",
                lambda p: bar(p, labels[0]) < bar(p, labels[1]) / 3 < bar(p, labels[2]) / 3,
            ),
        ),
        Question(
            "How good are lists from random vectors?",
            ("As good as trained ones", "Half as good", "Nearly useless"),
            2,
        ),
    )


def _degree(world: World) -> Step:
    picture = bars(
        "[[Recall@20|recall@k]]",
        {
            f"layer {DEPTH}": world.plain.recall()[-1],
            "popularity": recall(popularity(world.dataset), world.dataset),
        },
        colors=("one", "three"),
    )
    return Step(
        "popularity",
        "What a collapsed model still knows",
        "At the far end all users point the same way, so everybody gets the same list. The lengths of the "
        "items' vectors still differ: each grows with the root of the item's [[degree]].",
        picture,
        (
            Claim(
                f"The lists of layer {DEPTH} are as good as those by popularity: "
                f"{wording.metric(bar(picture, f'layer {DEPTH}'))} and "
                f"{wording.metric(bar(picture, 'popularity'))}.",
                lambda p: (
                    abs(bar(p, f"layer {DEPTH}") - bar(p, "popularity"))
                    < 0.005
                    < bar(p, "popularity")
                ),
            ),
        ),
        Question(
            f"Which items does layer {DEPTH} recommend?",
            ("Random ones", "The most popular ones", "The rarest ones"),
            1,
        ),
    )


def readout_hides(world: World) -> tuple[Step, ...]:
    """Lesson 5."""
    return (_readout(world.plain), _shares(world.plain), _readout_recall(world.plain))


def _readout(run: LessonRun) -> Step:
    picture = lines(
        "[[MAD]] of users by depth",
        [
            line("layer output", run.curve("mad", "users"), "one"),
            line("readout", run.curve("mad", "users", "readout"), "two"),
        ],
        x="depth",
        beyond=run.trained_depth,
    )
    last, mean = values(picture, "layer output")[-1], values(picture, "readout")[-1]
    return Step(
        "hides",
        "What the model scores with",
        "LightGCN does not score with its last layer. It takes the mean of all layers, x⁰ included: the "
        "[[readout]]. Measure that mean instead.",
        picture,
        (
            Claim(
                f"At depth {DEPTH} the readout has a MAD of {wording.measure(mean)}. The layer output has "
                f"{wording.measure(last)}.",
                lambda p: values(p, "readout")[-1] > 0.3 > 100 * values(p, "layer output")[-1] >= 0,
            ),
            Claim(
                "A paper that measures the readout alone sees no collapse. Say what was measured.",
                lambda p: bool(
                    np.all(
                        np.array(values(p, "readout"))[1:] > np.array(values(p, "layer output"))[1:]
                    )
                ),
            ),
        ),
        Question(
            f"What is the MAD of the readout at depth {DEPTH}?",
            ("As low as that of the last layer", "Far above it", "Exactly 1"),
            1,
        ),
        before=lines(
            "[[MAD]] of users by depth",
            [line("layer output", run.curve("mad", "users"), "one")],
            x="depth",
            beyond=run.trained_depth,
        ),
    )


def _shares(run: LessonRun) -> Step:
    stack = [np.asarray(layer, dtype=np.float64) for layer in run.layers]
    total = np.sum(stack, axis=0)
    parts = [float((layer * total).sum() / np.square(total).sum()) for layer in stack]
    chosen = (0, 1, 2, 4, 8, DEPTH)
    picture = bars(
        "Share of the [[readout]] that a layer makes up",
        {f"layer {k}": parts[k] for k in chosen},
        colors=("one",),
    )
    return Step(
        "shares",
        "Where the health comes from",
        f"Split the mean of the {len(stack)} layers into its parts: ⟨xᵏ, z⟩ / ({len(stack)} |z|²), "
        f"summed over all nodes. All {len(stack)} shares add up to 1; {len(chosen)} of them are drawn.",
        picture,
        (
            Claim(
                f"Layer 0, which no neighbour has touched, makes up {parts[0]:.0%}: the largest "
                "share of all. "
                f"An equal share would be {1 / len(stack):.0%}.",
                lambda p: (
                    bar(p, "layer 0") == max(one["value"] for one in p["bars"])
                    and bar(p, "layer 0") > 2 / len(stack)
                ),
            ),
        ),
        Question(
            "Which layer makes up most of the readout?",
            ("Layer 0", "The trained depth", f"Layer {DEPTH}"),
            0,
        ),
    )


def _readout_recall(run: LessonRun) -> Step:
    picture = lines(
        "[[Recall@20|recall@k]] by depth",
        [
            line("layer output", run.recall(), "one"),
            line("readout", run.recall("readout"), "two"),
        ],
        x="depth",
        beyond=run.trained_depth,
    )
    last, mean = values(picture, "layer output"), values(picture, "readout")
    best = int(np.argmax(mean))
    return Step(
        "recall",
        "Hiding is also holding",
        "The readout does not only look better. It makes better lists, because it keeps what the deep "
        "layers have lost.",
        picture,
        (
            Claim(
                f"At depth {DEPTH} the readout has a Recall@20 of {wording.metric(mean[-1])}, the "
                "layer output "
                f"{wording.metric(last[-1])}.",
                lambda p: values(p, "readout")[-1] > 1.5 * values(p, "layer output")[-1],
            ),
            Claim(
                f"Still, depth costs: the readout's best is {wording.metric(mean[best])} at depth {best}.",
                lambda p: (
                    0 < int(np.argmax(values(p, "readout"))) < DEPTH
                    and max(values(p, "readout")) > values(p, "readout")[-1]
                ),
            ),
        ),
        Question(
            "Does the readout also save the lists?",
            ("Yes, wholly", "In part", "No"),
            1,
        ),
        before=cut(picture, run.trained_depth),
    )
