"""Lesson 7: measures that see a collapse, and measures that do not."""

from __future__ import annotations

import numpy as np

from rednd_core import wording
from rednd_core.lessons.lesson import Claim, Question, Step, Way
from rednd_core.lessons.pictures import cut, line, lines, values
from rednd_core.lessons.world import World
from rednd_core.stage.depths import DEPTH


def which_measure(world: World) -> tuple[Step, ...]:
    """Lesson 7."""
    return (_all_nodes(world), _rayleigh(world), _rank(world))


def _all_nodes(world: World) -> Step:
    run = world.aligned
    picture = lines(
        "[[MAD]] by layer",
        [
            line("users", run.curve("mad", "users"), "users"),
            line("items", run.curve("mad", "items"), "items"),
            line("all nodes", run.curve("mad_all", "all"), "one", dash=True),
        ],
        beyond=run.trained_depth,
    )
    end = values(picture, "all nodes")[-1]
    sides = lines("[[MAD]] by layer", picture["series"][:2], beyond=run.trained_depth)
    return Step(
        "all",
        "One number for all nodes",
        f"At layer {DEPTH} all users point the same way, and so do all items. Many papers give one "
        "[[MAD]] over "
        "all nodes.",
        picture,
        (
            Claim(
                f"MAD over all nodes levels off, in this one training at "
                f"{wording.measure(end)}, because users and items "
                "end on two "
                "different rays. Measure each [[side]] apart.",
                lambda p: (
                    values(p, "all nodes")[-1] > 0.01
                    and values(p, "all nodes")[-1]
                    > 5 * max(values(p, side)[-1] for side in ("users", "items"))
                    and abs(values(p, "all nodes")[-1] - values(p, "all nodes")[-3])
                    < 0.1 * values(p, "all nodes")[-1]
                ),
            ),
        ),
        Question(
            f"What is the MAD over all nodes at layer {DEPTH}?",
            ("As low as that of each side", "Exactly 1", "It stays well above both"),
            2,
        ),
        before=sides,
    )


def _rayleigh(world: World) -> Step:
    run = world.aligned
    picture = lines(
        "[[Rayleigh quotient]] and [[two-hop Rayleigh quotient]] by layer",
        [
            line("Rayleigh quotient", run.curve("rayleigh", "all"), "one"),
            line("two-hop, users", run.curve("two_hop_rq", "users"), "users"),
        ],
        beyond=run.trained_depth,
    )
    end = values(picture, "Rayleigh quotient")[-1]
    return Step(
        "rayleigh",
        "The energy that stays",
        "The [[Rayleigh quotient]] compares neighbours: 0 means that they agree. On a graph of two sides, "
        "neighbours are always of different sides. The [[two-hop Rayleigh quotient]] compares users with "
        "users who share items.",
        picture,
        (
            Claim(
                f"The Rayleigh quotient ends at {wording.measure(end)}. Propagation by a user-item "
                "graph can also "
                "swap the two sides for ever (eigenvalue -1), and that part never dies.",
                lambda p: (
                    values(p, "Rayleigh quotient")[-1] > 0.05
                    and abs(np.diff(values(p, "Rayleigh quotient")[-3:])).max() < 0.02
                ),
            ),
            Claim(
                "Over two hops it falls to "
                f"{wording.measure(values(picture, 'two-hop, users')[-1])}: this one tells "
                "the truth.",
                lambda p: (
                    0
                    <= values(p, "two-hop, users")[-1]
                    < 0.01
                    < 0.3
                    < values(p, "two-hop, users")[0]
                ),
            ),
        ),
        Question(
            "Does the Rayleigh quotient of all nodes go to 0?",
            ("Yes, as MAD of a side does", "No, it levels off"),
            1,
        ),
        before=cut(picture, run.trained_depth),
    )


def _rank(world: World) -> Step:
    run = world.aligned
    picture = lines(
        "[[Effective rank]] by layer",
        [
            line("users", run.curve("effective_rank", "users"), "users"),
            line("items", run.curve("effective_rank", "items"), "items"),
        ],
        beyond=run.trained_depth,
    )
    ends = values(picture, "users")
    return Step(
        "rank",
        "How many directions are in use?",
        "The [[effective rank]] counts them: 1 means that one direction is left.",
        picture,
        (
            Claim(
                f"In this one training it falls for users from {wording.measure(ends[0])} to "
                f"{wording.measure(ends[-1])}. MAD and "
                "effective rank of each side, and the two-hop quotient: these three agree on the collapse.",
                lambda p: all(
                    values(p, side)[-1] < 3 < 10 < values(p, side)[0] for side in ("users", "items")
                ),
            ),
        ),
        Question(
            f"How many directions do the users' vectors use at layer {DEPTH}?",
            ("About one or two", "About half of them", "All"),
            0,
        ),
        before=cut(picture, run.trained_depth),
        way=Way("All measures of this run", "smoothness", {"run": run.run.name}),
    )
