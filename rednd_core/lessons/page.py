"""Lessons in a file that opens without the app and without a network."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rednd_core.lessons import COLORS, STYLE, scripts
from rednd_core.lessons.catalogue import lesson
from rednd_core.lessons.payload import lesson_payload
from rednd_core.lessons.world import World
from rednd_core.stage.page import Part, in_script, offline_page


def lessons_part(numbers: Sequence[int], world: World) -> Part:
    """Some lessons of a world, with a button for each.

    Raises:
        ConfigError: no such lesson.
    """
    chosen = sorted(set(numbers))
    payloads = [lesson_payload(lesson(number, world), chosen) for number in chosen]
    return Part(
        STYLE.read_text(encoding="utf-8"),
        "<nav id='lesson-list'></nav><div id='lesson'></div>",
        f"{scripts()}\nlessonFile(document, {in_script(payloads)}, {json.dumps(COLORS)});",
    )


def about_world(world: World) -> str:
    """The data set and the runs that lessons are computed from, in a sentence."""
    data = world.dataset
    return (
        f"The lessons use the sample data set {data.name} ({data.n_users:,} users, {data.n_items:,} items) "
        f"and its runs {world.bundled.plain}, {world.bundled.without} and {world.bundled.aligned}."
    )


def handout(number: int, world: World) -> str:
    """One lesson as one HTML file; printed, it shows all steps with their answers."""
    title = f"Lesson {number}: {lesson(number, world).title}"
    return offline_page(title, about_world(world), [lessons_part([number], world)])
