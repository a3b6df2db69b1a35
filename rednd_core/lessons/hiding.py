"""Lesson 5: the readout looks healthy where the last layer is dead."""

from __future__ import annotations

import numpy as np

from rednd_core import wording
from rednd_core.lessons.lesson import Claim, Question, Step
from rednd_core.lessons.pictures import bar, bars, cut, line, lines, values
from rednd_core.lessons.world import LessonRun, World
from rednd_core.stage.depths import DEPTH


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
    deeper = run.trained_depth + 1
    return Step(
        "hides",
        "What the model scores with",
        "LightGCN does not score with its last layer. It takes the mean of all layers, x⁰ included: the "
        "[[readout]]. Measure that mean instead.",
        picture,
        (
            Claim(
                f"In this one training the readout at depth {DEPTH} has a MAD of "
                f"{wording.measure(mean)}. The layer output has "
                f"{wording.measure(last)}.",
                lambda p: values(p, "readout")[-1] > 0.1 > 100 * values(p, "layer output")[-1] >= 0,
            ),
            Claim(
                "Beyond the trained depth the readout is above the layer output everywhere. A paper that "
                "measures the readout alone sees no collapse: say what was measured.",
                lambda p: bool(
                    np.all(
                        np.array(values(p, "readout"))[deeper:]
                        > np.array(values(p, "layer output"))[deeper:]
                    )
                ),
            ),
        ),
        Question(
            f"What is the MAD of the readout at depth {DEPTH}?",
            ("As low as that of the last layer", "Exactly 1", "Far above it"),
            2,
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
                "In this one training layer 0, which no neighbour has touched, makes up "
                f"{parts[0]:.0%}: the largest "
                "share of all. "
                f"An equal share would be {1 / len(stack):.0%}.",
                lambda p: (
                    bar(p, "layer 0") == max(one["value"] for one in p["bars"])
                    and bar(p, "layer 0") > 1.5 / len(stack)
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
                f"In this one training the readout at depth {DEPTH} has a Recall@20 of "
                f"{wording.metric(mean[-1])}, the "
                "layer output "
                f"{wording.metric(last[-1])}.",
                lambda p: values(p, "readout")[-1] > 1.15 * values(p, "layer output")[-1],
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
