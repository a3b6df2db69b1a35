"""Lesson 10: remedies put together, compared at depth 16."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np

from rednd_core import wording
from rednd_core.cosine import pair_mad
from rednd_core.lessons.lesson import Claim, Question, Step, Way
from rednd_core.lessons.pictures import Picture, bar, bars, line, lines, switch
from rednd_core.lessons.remedy_functions import Remedy, propagated
from rednd_core.lessons.world import LessonRun, World, popularity, recall
from rednd_core.stage.depths import DEPTH

RESIDUALS, DROPPED = (0.0, 0.1, 0.3), (0.0, 0.5)
NONE = "none"
NOT_SHOWN = "The vectors were trained without the remedy: one that is trained with it may do better or worse."


@dataclass(frozen=True)
class Outcome:
    """MAD of users by depth, and Recall@20 of the vectors at :data:`DEPTH`."""

    mad: tuple[float, ...]
    recall: float


def outcome(run: LessonRun, remedy: Remedy) -> Outcome:
    """What a remedy makes of a run's x^0 (all modalities side by side)."""
    data, graph = run.dataset, run.graph
    linked = np.flatnonzero(graph.degrees[: data.n_users])
    mads = []
    for layer in propagated(run.layers[0], graph, DEPTH, remedy):
        mads.append(pair_mad(layer[linked]))
    return Outcome(tuple(mads), recall(layer.astype(np.float32), data))


def build_remedy(world: World) -> tuple[Step, ...]:
    """Lesson 10."""

    @cache
    def of(run: LessonRun, remedy: Remedy) -> Outcome:
        return outcome(run, remedy)

    singles = {
        NONE: of(world.without, Remedy()),
        "edges dropped, 50 %": of(world.without, Remedy(dropped=0.5)),
        "PairNorm": of(world.without, Remedy(pair_norm=True)),
        "initial residual, 0.3": of(world.without, Remedy(residual=0.3)),
        "trained with alignment": of(world.aligned, Remedy()),
    }
    builds = {}
    runs = (world.without, world.aligned)
    for choice in product(range(2), range(len(RESIDUALS)), range(len(DROPPED)), range(2)):
        a, r, d, n = choice
        found = of(runs[a], Remedy(RESIDUALS[r], DROPPED[d], bool(n)))
        builds["-".join(map(str, choice))] = _build(found, world)
    return (_distance(singles), _quality(singles, world), _workbench(builds))


def _distance(singles: dict[str, Outcome]) -> Step:
    picture = bars(
        f"[[MAD]] of users at depth {DEPTH}",
        {name: found.mad[-1] for name, found in singles.items()},
    )
    return Step(
        "distance",
        "Who keeps distances?",
        "A residual adds a share of x⁰ in each step. Dropped edges are drawn anew in each step. "
        "PairNorm centres every side and stretches it to its first size. The [[alignment]] is a "
        "loss, so it needs vectors that were trained with it. " + NOT_SHOWN,
        picture,
        (
            Claim(
                "With the vectors of this one training PairNorm and the residual keep a MAD of "
                f"{wording.measure(bar(picture, 'PairNorm'))} and "
                f"{wording.measure(bar(picture, 'initial residual, 0.3'))}. Dropping half of the "
                "edges keeps "
                f"{wording.measure(bar(picture, 'edges dropped, 50 %'))}: it delays the end. "
                "Alignment alone keeps "
                f"{wording.measure(bar(picture, 'trained with alignment'))}.",
                lambda p: (
                    bar(p, "PairNorm") > bar(p, "initial residual, 0.3") > 0.5
                    and bar(p, NONE)
                    < bar(p, "trained with alignment")
                    < bar(p, "edges dropped, 50 %")
                    < 0.3
                ),
            ),
        ),
        Question(
            f"Which of them has users far apart at depth {DEPTH}?",
            ("PairNorm and the residual", "Dropped edges", "The alignment"),
            0,
        ),
    )


def _quality(singles: dict[str, Outcome], world: World) -> Step:
    none = recall(popularity(world.dataset), world.dataset)
    picture = bars(
        f"[[Recall@20|recall@k]] at depth {DEPTH}",
        {name: found.recall for name, found in singles.items()} | {"by popularity": none},
        colors=("one",) * len(singles) + ("three",),
    )
    residual, paired = bar(picture, "initial residual, 0.3"), bar(picture, "PairNorm")
    return Step(
        "quality",
        "Who keeps the lists?",
        "PairNorm has the highest MAD. Do its vectors also make the best lists? " + NOT_SHOWN,
        picture,
        (
            Claim(
                "No: with the vectors of this one training the residual has a Recall@20 of "
                f"{wording.metric(residual)}, PairNorm "
                f"{wording.metric(paired)}. PairNorm stretches what is left. It cannot bring back "
                "what was lost.",
                lambda p: (
                    bar(p, "initial residual, 0.3")
                    > 1.1 * bar(p, "PairNorm")
                    > 1.2 * bar(p, "by popularity")
                ),
            ),
            Claim(
                "Without a remedy, and with alignment alone, lists are as good as by popularity.",
                lambda p: (
                    max(
                        abs(bar(p, name) - bar(p, "by popularity"))
                        for name in (NONE, "trained with alignment")
                    )
                    < 0.02
                    < bar(p, NONE)
                ),
            ),
        ),
        Question(
            f"Which remedy makes the best lists at depth {DEPTH}?",
            ("PairNorm", "The initial residual", "Dropped edges", "The alignment"),
            1,
        ),
    )


def _build(found: Outcome, world: World) -> Picture:
    return lines(
        f"[[MAD]] of users by depth. [[Recall@20|recall@k]] at depth {DEPTH}: "
        f"{wording.metric(found.recall)}",
        [line("MAD of users", found.mad, "users")],
        x="depth",
    ) | {"recall": found.recall, "top": 1.0}


def _workbench(builds: dict[str, Picture]) -> Step:
    picture = switch(
        {
            "Trained": ("without alignment", "with alignment"),
            "Residual": [f"{share:g}" for share in RESIDUALS],
            "Edges dropped": [f"{share:.0%}" for share in DROPPED],
            "PairNorm": ("off", "on"),
        },
        builds,
    )
    best = max(builds, key=lambda key: builds[key]["recall"])
    chosen = ", ".join(
        control["options"][int(k)] + f" ({control['label'].lower()})"
        for control, k in zip(picture["controls"], best.split("-"), strict=True)
    )
    return Step(
        "build",
        "Now put them together",
        f"Which combination has the highest Recall@20 at depth {DEPTH}? Try. " + NOT_SHOWN,
        picture,
        (
            Claim(
                f"The best of these {len(builds)} combinations: {chosen}, with "
                f"{wording.metric(builds[best]['recall'])}.",
                lambda p: max(p["pictures"], key=lambda key: p["pictures"][key]["recall"]) == best,
            ),
            Claim(
                "Every one of the best five has a residual.",
                lambda p: all(
                    key.split("-")[1] != "0"
                    for key in sorted(
                        p["pictures"], key=lambda key: p["pictures"][key]["recall"], reverse=True
                    )[:5]
                ),
            ),
        ),
        Question(
            "What do the best five combinations have in common?",
            ("PairNorm", "Dropped edges", "A residual"),
            2,
        ),
        before=picture,
        way=Way("Train remedies of your own", "training"),
    )
