"""Worlds of lessons and lessons, computed once for all visitors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from rednd_core.lessons.world import World


@st.cache_resource(show_spinner=False)
def lesson_world(name: str) -> World:
    """A sample data set with its bundled runs, as lessons use it."""
    from rednd_core.lessons.world import World

    return World.load(name)


@st.cache_data(max_entries=64, show_spinner="Computing the lesson …")
def _lesson(number: int, world: str, ways: tuple[tuple[str, str], ...]) -> str:
    from rednd_core.lessons.catalogue import NUMBERS, lesson
    from rednd_core.lessons.payload import lesson_payload

    found = lesson(number, lesson_world(world))
    payload = lesson_payload(found, NUMBERS, dict(ways))
    return json.dumps(payload, separators=(",", ":"), allow_nan=False)


def lesson(number: int, world: str, ways: Mapping[str, str]) -> str:
    """The JSON of a lesson. Bundled runs do not change, so the names are the whole key.

    Args:
        ways: addresses of the pages that a lesson may lead to.
    """
    return _lesson(number, world, tuple(ways.items()))
