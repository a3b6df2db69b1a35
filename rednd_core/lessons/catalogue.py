"""All lessons in their order, each computed when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rednd_core.errors import ConfigError
from rednd_core.lessons import (
    failing,
    falling,
    hand,
    hiding,
    map_lies,
    measuring,
    one_user,
    remedies,
    rising,
    steering,
)
from rednd_core.lessons.lesson import Lesson, Step
from rednd_core.lessons.world import World


@dataclass(frozen=True)
class Entry:
    """A lesson in the table of contents, before anything is computed."""

    title: str
    about: str
    make: Callable[[World], tuple[Step, ...]]


CONTENTS: tuple[Entry, ...] = (
    Entry(
        "Three nodes by hand",
        "What one step of propagation does, number by number.",
        hand.by_hand,
    ),
    Entry(
        "The same for one user",
        "The sum of lesson 1 with the vectors of a trained model.",
        one_user.one_user,
    ),
    Entry(
        "MAD falls with depth, in a zigzag",
        "How distances vanish, and why one side's line goes up and down.",
        falling.mad_falls,
    ),
    Entry(
        "Smoothing is not damage",
        "Recall rises before it falls: averaging over neighbours is why the model works.",
        rising.not_damage,
    ),
    Entry(
        "The readout hides the collapse",
        "The mean over layers looks healthy where the last layer is dead.",
        hiding.readout_hides,
    ),
    Entry(
        "The map lies",
        "UMAP draws a collapsed layer nearly as wide as a healthy one.",
        map_lies.map_lies,
    ),
    Entry(
        "Which measure tells the truth?",
        "On a graph of users and items two well-known measures never reach 0.",
        measuring.which_measure,
    ),
    Entry(
        "Steer it live",
        "One weight sets how far the layers stay apart. What does it cost?",
        steering.steer,
    ),
    Entry(
        "For whom does it fail?",
        "Means hide people. And a feature can be wrong.",
        failing.for_whom,
    ),
    Entry(
        "Build your own remedy",
        "Residual, dropped edges, PairNorm and alignment, compared at depth 16.",
        remedies.build_remedy,
    ),
)
NUMBERS = tuple(range(1, len(CONTENTS) + 1))


def lesson(number: int, world: World) -> Lesson:
    """The lesson with this number, from 1.

    Raises:
        ConfigError: no such lesson.
    """
    if number not in NUMBERS:
        raise ConfigError(
            expected=f"a lesson from 1 to {NUMBERS[-1]}",
            found=str(number),
            remedy="choose one of them",
        )
    entry = CONTENTS[number - 1]
    return Lesson(number, entry.title, entry.make(world))
