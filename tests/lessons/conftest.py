"""The worlds of the lessons, read once for all tests."""

from __future__ import annotations

from functools import cache

from rednd_core.lessons.catalogue import lesson
from rednd_core.lessons.lesson import Lesson
from rednd_core.lessons.world import World


@cache
def world(name: str) -> World:
    return World.load(name)


@cache
def of(name: str, number: int) -> Lesson:
    """A lesson of a world."""
    return lesson(number, world(name))
