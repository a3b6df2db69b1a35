"""Lessons as the scripts in ``browser/`` read them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rednd_core.glossary import definitions_in
from rednd_core.lessons.lesson import Lesson


def lesson_payload(
    lesson: Lesson, numbers: Sequence[int], ways: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """A lesson among others.

    Args:
        numbers: of all lessons that can be gone to, ascending.
        ways: addresses of pages of the app; without them links to the app are left out.
    """
    told = lesson.payload()
    place = list(numbers).index(lesson.number)
    return {
        "lesson": told,
        "previous": numbers[place - 1] if place else None,
        "next": numbers[place + 1] if place + 1 < len(numbers) else None,
        "terms": definitions_in(_texts(told)),
        "ways": dict(ways or {}),
    }


def _texts(value: Any) -> Iterator[str]:
    """All texts in a piece of JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(part)
