"""Which runs Home tells its story with, and what there is to notice, in numbers of those runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from app.shared.chapter import DEEP, Chapter
from app.shared.text import escape_markdown
from rednd_core import wording
from rednd_core.errors import RedndError
from rednd_core.projection import COLLAPSE_MAD
from rednd_core.runs import EvaluationRecord, RunEntry


@dataclass(frozen=True)
class Story:
    """The run whose layers are drawn, and the one beside which its lines are drawn."""

    base: Chapter
    other: Chapter | None


def choose_story(entries: Sequence[RunEntry]) -> Story | None:
    """LightGCN, beside RedNⁿD with the largest alignment weight on the same data; bundled runs first.

    Without a LightGCN any run with layers is the base. None where no run has layers.
    """
    chapters = [
        Chapter(entry.run, entry.record)
        for entry in entries
        if entry.record is not None
        and not entry.problem
        and entry.record.model is not None
        and entry.record.data is not None
        and entry.record.model.n_layers > 0
        and entry.run.layer_version is not None
    ]
    if not chapters:
        return None
    base = min(
        chapters,
        key=lambda c: (c.record.config.model != "lightgcn", not c.run.bundled, not c.can_go_on),
    )
    others = [c for c in chapters if _weight(c) and _digest(c) == _digest(base) and c is not base]
    other = min(others, key=lambda c: (not c.run.bundled, -_weight(c)), default=None)
    return Story(base, other)


def _weight(chapter: Chapter) -> float:
    try:
        return chapter.alignment.last if chapter.alignment else 0.0
    except RedndError:  # what is broken is no part of the story, and the list of runs names it
        return 0.0


def _digest(chapter: Chapter) -> str:
    return chapter.record.data.digest if chapter.record.data else ""


def notices(story: Story, mad: pd.DataFrame, other_mad: pd.DataFrame | None) -> list[str]:
    """Up to three remarks in Markdown, with the numbers of the tables.

    Args:
        mad, other_mad: columns layer, side, value, n, of the base and of the other run to their
            reach; None where there is no other.
    """
    remarks = [_layers(story.base, mad)]
    if story.base.can_go_on:
        remarks.append(_depth(mad))
    if story.other and other_mad is not None:
        remarks.append(_comparison(story.base, story.other, mad, other_mad))
    return remarks


def _layers(base: Chapter, mad: pd.DataFrame) -> str:
    start, end = _sides(mad, 0), _sides(mad, base.n_layers)
    n = mad[mad["layer"] == 0].set_index("side")["n"]
    data = base.record.data
    of_users, of_items = (data.n_users, data.n_items) if data else (0, 0)
    closer = bool((end < start).all())
    head = "Layers bring the vectors together." if closer else "What the layers do."
    return (
        f"**{head}** Over the {base.n_layers} layers of {escape_markdown(base.title)} the MAD, the "
        "mean cosine distance between two of a kind, goes "
        f"from {wording.measure(start['users'])} to {wording.measure(end['users'])} for users "
        f"and from {wording.measure(start['items'])} to {wording.measure(end['items'])} for items "
        f"({n['users']:,} of {of_users:,} users, {n['items']:,} of {of_items:,} items)."
    )


def _depth(mad: pd.DataFrame) -> str:
    start, deep = _sides(mad, 0), _sides(mad, DEEP)
    share = float((deep / start).max())
    verdict = (
        " All users point one way and so do all items: nobody can be told apart."
        if float(deep.max()) < COLLAPSE_MAD
        else ""
    )
    return (
        f"**More layers do not help.** Propagated on to depth {DEEP}, "
        f"{wording.measure(deep['users'])} is left for users and {wording.measure(deep['items'])} "
        f"for items, at most {share:.2%} of the start.{verdict}"
    )


def _comparison(base: Chapter, other: Chapter, mad: pd.DataFrame, other_mad: pd.DataFrame) -> str:
    ours, theirs = _sides(mad, base.n_layers), _sides(other_mad, other.n_layers)
    names = escape_markdown(base.title), escape_markdown(other.title)
    apart = [side for side in ("users", "items") if theirs[side] > ours[side]]
    verdict = (
        f"its {' and '.join(apart) or 'nodes'} stay further apart than" if apart else "less than"
    )
    text = (
        f"**{names[1]}** ends its {other.n_layers} layers at {wording.measure(theirs['users'])} "
        f"for users and {wording.measure(theirs['items'])} for items: {verdict} in {names[0]}"
    )
    recalls = [recall(chapter.run.evaluation(), "test") for chapter in (other, base)]
    if recalls[0] is not None and recalls[1] is not None:
        told = " against ".join(map(wording.metric, recalls))
        text += f", with a test recall@20 of {told}"
    text += "."
    if other.can_go_on:
        deep = _sides(other_mad, DEEP)
        text += (
            f" Propagated on to {DEEP} it would end at {wording.measure(deep['users'])} and "
            f"{wording.measure(deep['items'])}: alignment changes what is learned, not what the graph does."
        )
    return f"{text} It also reads item features; the Smoothness page compares its weights alone."


def _sides(mad: pd.DataFrame, layer: int) -> pd.Series:
    return mad[mad["layer"] == layer].set_index("side")["value"]


def recall(evaluation: EvaluationRecord | None, part: str) -> float | None:
    """recall@20 of ``"valid"`` or ``"test"``; None where it was not measured."""
    if evaluation is None:
        return None
    return (evaluation.valid if part == "valid" else evaluation.test).get("recall@20")
