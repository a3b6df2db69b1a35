"""What a lesson is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rednd_core.lessons.pictures import Picture


@dataclass(frozen=True)
class Claim:
    """A sentence of a lesson, and whether the numbers of the picture beside it bear it out.

    Attributes:
        says: the sentence, with numbers of the picture.
        holds: from the picture to the verdict. The tests ask it of every bundled world, and the page asks
            it as well: a sentence that does not hold is shown as such.
    """

    says: str
    holds: Callable[[Picture], bool]


@dataclass(frozen=True)
class Question:
    """What a reader predicts before the picture is shown.

    Attributes:
        right: which of ``options`` the numbers of the picture answer with.
    """

    asks: str
    options: tuple[str, ...]
    right: int


@dataclass(frozen=True)
class Way:
    """A link to another page of the app, which a file without the app leaves out."""

    label: str
    page: str
    query: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """One screen of a lesson: a picture, and what to see in it.

    Attributes:
        name: in addresses; unique in its lesson.
        text: paragraphs; ``[[term]]`` or ``[[words|term]]`` is explained by the glossary.
        before: the picture until the question is answered; None where there is nothing to show yet.
    """

    name: str
    title: str
    text: str
    picture: Picture
    claims: tuple[Claim, ...] = ()
    question: Question | None = None
    before: Picture | None = None
    way: Way | None = None


@dataclass(frozen=True)
class Lesson:
    """Steps in their order; the number counts from 1."""

    number: int
    title: str
    steps: tuple[Step, ...]

    def payload(self) -> dict[str, Any]:
        """The lesson as plain JSON."""
        return {
            "number": self.number,
            "title": self.title,
            "steps": [_step(step) for step in self.steps],
        }


def _step(step: Step) -> dict[str, Any]:
    question = step.question
    return {
        "name": step.name,
        "title": step.title,
        "text": step.text,
        "picture": step.picture,
        "before": step.before,
        "claims": [{"says": c.says, "holds": bool(c.holds(step.picture))} for c in step.claims],
        "question": question
        and {"asks": question.asks, "options": list(question.options), "right": question.right},
        "way": step.way
        and {"label": step.way.label, "page": step.way.page, "query": step.way.query},
    }
