"""The two runs that Home compares, and remarks with their numbers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, stdev

import pandas as pd

from app import cached
from app.shared.chapter import DEEP, Chapter
from app.shared.text import escape_markdown
from rednd_core import wording
from rednd_core.errors import RedndError
from rednd_core.projection import COLLAPSE_MAD
from rednd_core.runs import EvaluationRecord, Run, RunEntry, RunRecord

WEIGHT = "alignment_weight"  # the only setting in which the two runs differ
RECALL = "recall@20"


@dataclass(frozen=True)
class Story:
    """A run, and the same training with another alignment weight.

    Attributes:
        base: the run with the smaller weight, or the only one.
        other: the same model, settings, data and seed with the largest weight; None without such a run.
        seeds: test recall@20 by seed of all runs that differ from ``base`` in the seed alone.
        other_seeds: the same of ``other``.
    """

    base: Chapter
    other: Chapter | None
    seeds: dict[int, float]
    other_seeds: dict[int, float]


def choose_story(entries: Sequence[RunEntry]) -> Story | None:
    """Two runs that differ in the alignment weight alone, the bundled ones first.

    So what differs between their pictures is the work of the weight. Where there is no such pair, one run:
    a bundled one before others, one that can be propagated further before others. None where no run has
    layers.
    """
    known = [entry for entry in entries if entry.record is not None and not entry.problem]
    chapters = [
        Chapter(entry.run, entry.record)
        for entry in known
        if entry.record is not None
        and entry.record.model is not None
        and entry.record.data is not None
        and entry.record.model.shared_depth > 0
        and entry.run.layer_version is not None
        and _is_readable(entry.run)
    ]
    if not chapters:
        return None
    weighted = [(c.alignment.last, c) for c in chapters if c.alignment]
    pairs = [
        (one, other)
        for one in weighted
        for other in weighted
        if one[0] < other[0] and _same(one[1].record, other[1].record, seed=True)
    ]
    chosen = min(
        pairs, key=lambda pair: (not pair[0][1].run.bundled, pair[0][0], -pair[1][0]), default=None
    )
    if chosen:
        (_, base), (_, other) = chosen
        return Story(base, other, _recalls(base, known), _recalls(other, known))
    base = min(chapters, key=lambda c: (not c.run.bundled, not c.can_go_on))
    return Story(base, None, {}, {})


def _same(one: RunRecord, other: RunRecord, *, seed: bool) -> bool:
    """Whether two runs differ in the alignment weight alone; or, without ``seed``, in the seed alone."""
    return _settings(one, seed=seed) == _settings(other, seed=seed)


def _settings(record: RunRecord, *, seed: bool) -> str:
    config = record.config.model_dump(mode="json", exclude={"data"})
    config["digest"] = record.data.digest if record.data else None
    if seed:
        config["hyperparameters"].pop(WEIGHT, None)
    else:
        config["training"].pop("seed")
    return json.dumps(config, sort_keys=True)


def _is_readable(run: Run) -> bool:
    """Whether the journal can be read, which tells the weight. The list of runs names what is broken."""
    try:
        cached.alignment_weight(run)
    except RedndError:
        return False
    return True


def _recalls(chapter: Chapter, entries: Sequence[RunEntry]) -> dict[int, float]:
    found = {}
    for entry in entries:
        record = entry.record
        if record is None or not _same(record, chapter.record, seed=False):
            continue
        try:
            value = recall(entry.run.evaluation(), "test")
        except RedndError:  # The list of runs names what is broken.
            continue
        if value is not None:
            found[record.config.training.seed] = value
    return found


def notices(story: Story, mad: pd.DataFrame, other_mad: pd.DataFrame | None) -> list[str]:
    """Up to four remarks in Markdown, with the numbers of the tables.

    Args:
        mad, other_mad: columns layer, side, value, n, of the base and of the other run to their
            reach; None where there is no other.
    """
    remarks = [_layers(story.base, mad)]
    if story.base.can_go_on:
        remarks.append(_depth(mad))
    if story.other and other_mad is not None:
        remarks.append(_comparison(story.base, story.other, mad, other_mad))
        remarks += _accuracy(story)
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
        " All users have one direction and all items have one: no two of them can be told apart."
        if float(deep.max()) < COLLAPSE_MAD
        else ""
    )
    return (
        f"**Deeper, they run together.** Propagated on to layer {DEEP}, a MAD of {_both(deep)} is left, at "
        f"most {share:.2%} of the start.{verdict}"
    )


def _comparison(base: Chapter, other: Chapter, mad: pd.DataFrame, other_mad: pd.DataFrame) -> str:
    ours, theirs = _sides(mad, base.n_layers), _sides(other_mad, other.n_layers)
    apart = [side for side in ("users", "items") if theirs[side] > ours[side]]
    verdict = (
        f"so {' and '.join(apart)} stay further apart"
        if apart
        else "so neither side stays further apart"
    )
    text = (
        "**What the alignment changes.** Both runs have the same model, settings, data and seed; only "
        f"the weight differs. With {other.alignment} the {other.n_layers} layers end at a MAD of "
        f"{_both(theirs)}; with {base.alignment} at {_both(ours)}: {verdict}."
    )
    if other.can_go_on:
        text += (
            f" Propagated on to layer {DEEP} it ends at {_both(_sides(other_mad, DEEP))} all the same: "
            "the alignment changes what is learned, not what the graph does."
        )
    return text


def _both(sides: pd.Series) -> str:
    return f"{wording.measure(sides['users'])} for users and {wording.measure(sides['items'])} for items"


def _accuracy(story: Story) -> list[str]:
    """Whether the weight makes the lists better, from the seeds that both weights were trained with."""
    seeds = sorted(story.seeds.keys() & story.other_seeds.keys())
    if not seeds or story.other is None:
        return []
    ours, theirs = ([of[seed] for seed in seeds] for of in (story.seeds, story.other_seeds))
    weights = str(story.other.alignment), str(story.base.alignment)
    question = f"**Is that better for the lists?** Test {RECALL} is"
    if len(seeds) == 1:
        return [
            f"{question} {wording.metric(theirs[0])} with {weights[0]} and {wording.metric(ours[0])} with "
            f"{weights[1]}, of one seed. One seed cannot tell a gain from chance."
        ]
    gains = [their > our for our, their in zip(ours, theirs, strict=True)]
    told = [
        f"{wording.metric(mean(values))} ± {wording.metric(stdev(values))} with {weight}"
        for values, weight in zip((theirs, ours), weights, strict=True)
    ]
    return [
        f"{question} {told[0]} and {told[1]} (mean ± standard deviation of the seeds "
        f"{', '.join(map(str, seeds))}); it is higher with {weights[0]} in {sum(gains)} of {len(seeds)} "
        "seeds."
    ]


def _sides(mad: pd.DataFrame, layer: int) -> pd.Series:
    return mad[mad["layer"] == layer].set_index("side")["value"]


def recall(evaluation: EvaluationRecord | None, part: str) -> float | None:
    """recall@20 of ``"valid"`` or ``"test"``; None if it was not measured."""
    if evaluation is None:
        return None
    return (evaluation.valid if part == "valid" else evaluation.test).get(RECALL)
