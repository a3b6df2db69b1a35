"""Lesson 8: what the weight of the alignment does while a model trains."""

from __future__ import annotations

import json
from typing import Any

from rednd_core import wording
from rednd_core.lessons.lesson import Claim, Question, Step, Way
from rednd_core.lessons.pictures import Picture, line, lines, values
from rednd_core.lessons.world import World
from rednd_core.runs import Run, alignment_weight

EARLY = 20  # epochs
COLORS = ("one", "three", "two")


def steer(world: World) -> tuple[Step, ...]:
    """Lesson 8. The curves are those that the bundled runs recorded."""
    runs = [world.run(name).run for name in world.bundled.weights]
    told = {f"weight {alignment_weight(run)}": _epochs(run) for run in runs}
    return (_apart(world, told), _price(told), _live(told, world))


def _epochs(run: Run) -> list[dict[str, Any]]:
    """The epochs that a run recorded."""
    lines_of = run.layout.metrics.read_text(encoding="utf-8").splitlines()
    return [row for row in map(json.loads, lines_of) if "losses" in row]


def _lines(title: str, told: dict[str, list[dict[str, Any]]], *path: str) -> Picture:
    """A line a weight, by epoch; the first place is the first epoch."""

    def of(row: dict[str, Any]) -> float:
        found: Any = row
        for key in path:
            found = found[key]
        return float(found)

    return lines(
        title,
        [
            line(label, [of(row) for row in rows], COLORS[k % len(COLORS)])
            for k, (label, rows) in enumerate(told.items())
        ],
        x="epochs since the first",
    )


def _apart(world: World, told: dict[str, list[dict[str, Any]]]) -> Step:
    run = world.aligned
    modality = next(iter(run.run.layers()))
    depth = run.trained_depth
    picture = _lines(
        f"[[MAD]] of users, layer {depth}, {modality}",
        told,
        "smoothness",
        f"layer.{modality}.{depth}.users.mad",
    )
    labels = list(told)
    least, most = labels[0], labels[-1]
    return Step(
        "apart",
        "Raise the weight",
        "The same model was trained with other weights of its [[alignment]], which asks each node to stay "
        "close to its own beginning.",
        picture,
        (
            Claim(
                f"In this one training of each weight the MAD of layer {depth} ends at "
                f"{wording.measure(values(picture, least)[-1])} with {least}, with "
                f"{most} at {wording.measure(values(picture, most)[-1])}.",
                lambda p: values(p, most)[-1] > values(p, least)[-1] + 0.2,
            ),
            Claim(
                f"After {EARLY} epochs it is {wording.measure(values(picture, most)[EARLY - 1])} and "
                f"{wording.measure(values(picture, least)[EARLY - 1])}: the weight acts early.",
                lambda p: values(p, most)[EARLY - 1] > values(p, least)[EARLY - 1] + 0.1,
            ),
        ),
        Question(
            f"What does a higher weight do to the MAD of layer {depth}?",
            ("It rises", "It falls", "Nothing"),
            0,
        ),
    )


def _price(told: dict[str, list[dict[str, Any]]]) -> Step:
    picture = _lines("[[BPR loss]] by epoch", told, "losses", "bpr")
    labels = list(told)
    least, most = labels[0], labels[-1]
    last = min(len(values(picture, label)) for label in told) - 1
    ends = [values(picture, label)[last] for label in (least, most)]
    return Step(
        "price",
        "What does it cost?",
        "The model minimises the sum of its losses. A second wish could spoil the first: the [[BPR "
        "loss]], which "
        "asks that train items score higher than others.",
        picture,
        (
            Claim(
                f"In this one training of each weight the BPR loss after the same {last + 1} epochs is "
                f"{wording.measure(ends[0])} with {least} and "
                f"{wording.measure(ends[1])} with {most}: nearly the same.",
                lambda p: (
                    abs(values(p, most)[last] - values(p, least)[last])
                    < 0.1 * values(p, least)[last]
                    and values(p, least)[last] < 0.5 * values(p, least)[0]
                ),
            ),
        ),
        Question(
            "What happens to the BPR loss under the highest weight?",
            ("It stays high", "It doubles", "It stays almost where it is"),
            2,
        ),
    )


def _live(told: dict[str, list[dict[str, Any]]], world: World) -> Step:
    picture = _lines("Validation [[Recall@20|recall@k]] by epoch", told, "valid", "recall@20")
    best = {label: max(values(picture, label)) for label in told}
    low, high = min(best.values()), max(best.values())
    return Step(
        "live",
        "Now move it yourself",
        "On the page Live training start RedNⁿD with alignment weight 0. After twenty epochs move the "
        "slider to 0.1 and watch the MAD of the deeper layers. Then move it to 1 and watch the BPR loss.",
        picture,
        (
            Claim(
                f"The best Recall@20 of these runs lies between {wording.metric(low)} and "
                f"{wording.metric(high)}. "
                "Each weight was trained once here: a difference of this size is no proof. Smoothness "
                "changed a lot, "
                "quality hardly.",
                lambda p: (
                    0
                    < max(max(values(p, label)) for label in told)
                    - min(max(values(p, label)) for label in told)
                    < 0.06
                ),
            ),
        ),
        Question(
            "Will the weight that keeps layers apart also make the best lists?",
            ("Yes, by far", "The lists hardly differ", "It ruins them"),
            1,
        ),
        way=Way("Start it on the page Live training", "training"),
    )
