"""Lesson 4: recall rises before it falls."""

from __future__ import annotations

import numpy as np

from rednd_core import wording
from rednd_core.lessons.lesson import Claim, Question, Step
from rednd_core.lessons.pictures import bar, bars, line, lines, values
from rednd_core.lessons.world import LessonRun, World, popularity, recall
from rednd_core.smoothness.depth import propagate_depth
from rednd_core.stage.depths import DEPTH


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
                f"In this one training Recall@20 is highest at layer {best}: "
                f"{wording.metric(found[best])}. At layer 0 it is "
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
                f"Their Recall@20 is {wording.metric(bar(picture, labels[0]))}. The best layer of "
                "this one training has "
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
                f"The lists of layer {DEPTH} are as good as those by popularity, to 5 %: "
                f"{wording.metric(bar(picture, f'layer {DEPTH}'))} and "
                f"{wording.metric(bar(picture, 'popularity'))}.",
                lambda p: (
                    abs(bar(p, f"layer {DEPTH}") - bar(p, "popularity"))
                    < 0.05 * bar(p, "popularity")
                ),
            ),
        ),
        Question(
            f"Which items does layer {DEPTH} recommend?",
            ("The most popular ones", "Random ones", "The rarest ones"),
            0,
        ),
    )
