"""Every sentence of a lesson holds for the numbers beside it, in every bundled world, and could fail."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from rednd_core.errors import ConfigError
from rednd_core.glossary import glossary
from rednd_core.lessons.catalogue import NUMBERS, lesson
from rednd_core.lessons.payload import lesson_payload
from rednd_core.lessons.world import WORLDS, World
from tests.app.forbid import forbid
from tests.lessons.conftest import of, world

EACH = [(name, number) for name in WORLDS for number in NUMBERS]


@pytest.mark.parametrize(("name", "number"), EACH)
def test_every_claim_holds_for_the_numbers_that_are_shown(name: str, number: int) -> None:
    payload = json.loads(json.dumps(of(name, number).payload(), allow_nan=False))
    for told, step in zip(payload["steps"], of(name, number).steps, strict=True):
        assert told["claims"], step.name
        for claim in step.claims:
            assert claim.holds(told["picture"]), f"{step.name}: {claim.says}"
        assert all(claim["holds"] for claim in told["claims"])


@pytest.mark.parametrize(("name", "number"), EACH)
def test_every_claim_fails_for_some_other_numbers(name: str, number: int) -> None:
    for step in of(name, number).steps:
        for claim in step.claims:
            verdicts = [claim.holds(picture) for picture in damaged(step.picture)]
            assert not all(verdicts), f"{step.name}: {claim.says}"


def damaged(picture: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The same picture with other numbers: in reversed order, all zero, all one, and exchanged."""
    for change in (lambda v: v[::-1], lambda v: [0.0] * len(v), lambda v: [1.0] * len(v), raised):
        other = copy.deepcopy(picture)
        for part in [other, *other.get("pictures", {}).values()]:
            for line in part.get("series", ()):
                line["values"] = change(line["values"])
            if "bars" in part:
                for bar, value in zip(
                    part["bars"], change([bar["value"] for bar in part["bars"]]), strict=True
                ):
                    bar["value"] = value
            if "recall" in part:
                part["recall"] = -part["recall"]
            if "layers" in part:
                part["layers"] = [[change(row) for row in layer] for layer in part["layers"]]
                part["weights"] = [change(row) for row in part["weights"]]
            if "panels" in part:
                part["panels"] = part["panels"][::-1]
            for column in part.get("columns", ()):
                column["cards"] = []
        yield other
    several = copy.deepcopy(picture)
    if len(several.get("series", ())) > 1:
        lists = [line["values"] for line in several["series"]]
        for line, values in zip(several["series"], lists[::-1], strict=True):
            line["values"] = values
        yield several


def raised(values: list[Any]) -> list[Any]:
    """Numbers that grow from the first to the last."""
    return [k if isinstance(v, float | int) else v for k, v in enumerate(values, 1)]


@pytest.mark.parametrize(("name", "number"), EACH)
def test_steps_have_names_of_their_own_and_questions_an_answer(name: str, number: int) -> None:
    steps = of(name, number).steps
    assert len({step.name for step in steps}) == len(steps)
    for step in steps:
        if step.question:
            assert 0 <= step.question.right < len(step.question.options) <= 4
            assert len(set(step.question.options)) == len(step.question.options)


@pytest.mark.parametrize(("name", "number"), EACH)
def test_every_marked_term_is_in_the_glossary(name: str, number: int) -> None:
    payload = lesson_payload(of(name, number), NUMBERS)
    assert payload["terms"].items() <= glossary().items()
    assert payload["previous"] == (number - 1 or None)
    assert payload["next"] == (None if number == NUMBERS[-1] else number + 1)


@pytest.mark.parametrize("name", WORLDS)
def test_the_map_came_with_the_data(name: str, monkeypatch) -> None:
    forbid(monkeypatch, "rednd_core.projection.umap.JointUMAP.fit_transform")
    assert lesson(6, world(name)).steps


@pytest.mark.parametrize("name", WORLDS)
def test_right_answers_stand_at_changing_places(name: str) -> None:
    """Nobody can learn where to click: at most two in five at one place, and two places in each lesson."""
    by_lesson = [[s.question.right for s in of(name, n).steps if s.question] for n in NUMBERS]
    places = [place for lesson_places in by_lesson for place in lesson_places]
    assert max(places.count(place) for place in set(places)) <= 0.4 * len(places)
    assert all(len(set(lesson_places)) > 1 for lesson_places in by_lesson)


def test_unknown_worlds_and_lessons_are_refused() -> None:
    with pytest.raises(ConfigError, match="shop"):
        World.load("opera")
    with pytest.raises(ConfigError, match="from 1 to 10"):
        lesson(11, world("shop"))
