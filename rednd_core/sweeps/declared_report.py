"""A declared study as a section of a Markdown document, made from its record and its runs alone."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rednd_core.errors import DataError
from rednd_core.evaluation.compare import interval, resampled_means
from rednd_core.runs import Run, RunStore
from rednd_core.sweeps.campaign import data_name
from rednd_core.sweeps.campaign_files import PointRecord
from rednd_core.sweeps.declared import DeclaredRecord
from rednd_core.sweeps.grid_points import describe
from rednd_core.sweeps.result_tables import Table, as_markdown, plus_minus, shown_metrics
from rednd_core.sweeps.summary import Spread, spread

N_RESAMPLES = 2000


def chosen_groups(record: DeclaredRecord) -> list[list[PointRecord]]:
    """The finished runs of each chosen point, seed by seed: data set after data set, models as declared."""
    groups: dict[tuple[str, str], list[PointRecord]] = {}
    for point in record.points:
        if point.run in record.chosen and point.result is not None:
            groups.setdefault((point.data, point.model), []).append(point)
    data = [data_name(of) for of in record.plan.data_configs]
    declared = [(name, model) for name in data for model in record.plan.models]
    return [groups[key] for key in declared if key in groups]


def chosen_table(record: DeclaredRecord) -> Table:
    """One line a chosen point: mean ± sd over its seeds; the only table with test metrics."""
    metrics = shown_metrics(record.select_by)
    lines = []
    for group in chosen_groups(record):
        spreads = [
            _spread(group, split, metric) for split in ("valid", "test") for metric in metrics
        ]
        seconds = spread((p.seed, p.result.seconds_per_epoch) for p in group if p.result)
        lines.append(
            [
                *(group[0].data, group[0].model, describe(group[0].variation) or "as declared"),
                str(len(group)),
                *(plus_minus(spread) for spread in spreads),
                plus_minus(seconds, 2),
            ]
        )
    names = [f"{split} {metric}" for split in ("valid", "test") for metric in metrics]
    return ["data", "model", "chosen", "seeds", *names, "s/epoch"], lines


def stage_table(record: DeclaredRecord) -> Table:
    """One line a point of a stage, with validation alone: mean ± sd over the stage's seeds."""
    metrics = shown_metrics(record.select_by)
    groups: dict[tuple[str, str, str, str], list[PointRecord]] = {}
    for point in record.points:
        if point.stage is not None:
            key = (point.data, point.model, point.stage, describe(point.variation))
            groups.setdefault(key, []).append(point)
    lines = [
        [*key, str(len(group)), *(plus_minus(_spread(group, "valid", m)) for m in metrics)]
        for key, group in groups.items()
    ]
    return ["data", "model", "stage", "point", "seeds", *(f"valid {m}" for m in metrics)], lines


def paired_table(record: DeclaredRecord, store: RunStore) -> Table:
    """Each model minus the first one of its data set: a bootstrap over users and seeds of both.

    Raises:
        DataError: runs whose test parts have different users.
    """
    metric, lines = record.select_by, []
    first: dict[str, list[PointRecord]] = {}
    for group in chosen_groups(record):
        base = first.setdefault(group[0].data, group)
        if base is group:
            continue
        values = [_per_user(points, metric, store) for points in (base, group)]
        if values[0].shape[1] != values[1].shape[1]:
            raise DataError(
                expected="test metrics of the same users",
                found=f"{values[0].shape[1]:,} and {values[1].shape[1]:,} users",
                remedy="train the study anew",
            )
        means = resampled_means(values, N_RESAMPLES, seed=0)
        low, high = interval(means[1] - means[0])
        change = float(values[1].mean() - values[0].mean())
        word = "yes" if low > 0 or high < 0 else "no"
        lines.append(
            [
                *(group[0].data, group[0].model, base[0].model),
                *(f"{change:+.4f}", f"{low:+.4f} to {high:+.4f}", word),
            ]
        )
    return ["data", "model", "minus", f"test {metric}", "95 % interval", "beyond chance"], lines


def section(record: DeclaredRecord, store: RunStore) -> str:
    """The whole section, between two comments by which a later one finds it."""
    plan = record.plan
    marks = _marks(plan.title)
    paragraphs = [
        marks[0],
        f"## {plan.title}",
        plan.question,
        f"The stages below were decided by the mean validation {record.select_by}, before any test "
        "part was read; test was read once a run, on its best epoch by validation, and for the chosen "
        "points alone. ± is the standard deviation over the seeds. Seconds an epoch are those of runs side "
        f"by side, beside whatever else the machine did: no benchmark. {_machines(record, store)} "
        f"Commit {', '.join(record.commits) or 'unknown'}.",
    ]
    if common := describe(plan.settings):
        paragraphs.append(
            f"Settings other than the defaults, of the models that have them: {common}."
        )
    paragraphs += ["### Chosen points", as_markdown(chosen_table(record))]
    paired = paired_table(record, store)
    if paired[1]:
        paragraphs.append(
            f"Differences on test, with a percentile bootstrap of {N_RESAMPLES:,} resamples over users "
            "and seeds (the same users for both models; the seeds of each on their own):"
        )
        paragraphs.append(as_markdown(paired))
    stages = stage_table(record)
    if stages[1]:
        paragraphs += ["### Points of the stages, validation only", as_markdown(stages)]
    if plan.left_out:
        paragraphs.append(f"Left out: {plan.left_out}")
    return "\n\n".join([*paragraphs, marks[1]]) + "\n"


def placed(document: str, record: DeclaredRecord, store: RunStore) -> str:
    """``document`` with the study's section in the place of its older one, or else at the end."""
    new = section(record, store)
    begin, end = map(re.escape, _marks(record.plan.title))
    pattern = re.compile(f"{begin}.*?{end}\n?", re.DOTALL)
    if pattern.search(document):
        return pattern.sub(lambda _: new, document, count=1)
    return f"{document.rstrip()}\n\n{new}" if document.strip() else new


def _marks(title: str) -> tuple[str, str]:
    return f"<!-- begin study: {title} -->", f"<!-- end study: {title} -->"


def _machines(record: DeclaredRecord, store: RunStore) -> str:
    """The machines of the chosen runs, as a sentence."""
    known = [Run(store.root / run).record.provenance.machine for run in record.chosen]
    told = {
        f"{of.processor}, {of.device}, threads a run: {of.threads}, engine {of.engine}"
        for of in known
        if of is not None
    }
    return f"Machine: {'; '.join(sorted(told)) or 'unknown'}."


def _per_user(points: Sequence[PointRecord], metric: str, store: RunStore) -> NDArray[np.float64]:
    """The test metric of every user in every run, (S, n_users); users ascending."""
    rows = []
    for point in points:
        table = Run(store.root / point.run).per_user()
        if table is None:
            raise DataError(
                expected=f"metrics of every user in run {point.run}",
                found="none",
                remedy="give the command of the study again",
            )
        test = table[table["split"] == "test"].sort_values("user")
        rows.append(test[metric].to_numpy(np.float64))
    return np.stack(rows)


def _spread(group: Sequence[PointRecord], split: str, metric: str) -> Spread | None:
    results = [(point.seed, point.result) for point in group if point.result]
    return spread(
        (seed, (of.valid if split == "valid" else of.test).get(metric)) for seed, of in results
    )
