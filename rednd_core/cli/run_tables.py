"""Runs as tables for people: one line a run, and one run with its settings and results."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rednd_core.cli.options import show_table

if TYPE_CHECKING:
    from rednd_core.runs import Run, RunEntry


def show_list(entries: Sequence[RunEntry]) -> None:
    """Print a line a run; a bundled run has that word in the place of its day."""
    metrics = {entry.record.config.training.select_by for entry in entries if entry.record}
    one_metric = metrics.pop() if len(metrics) == 1 else None
    columns = [
        "run",
        "model",
        "data",
        "state",
        "epoch",
        f"valid {one_metric or 'metric'}",
        "created",
    ]
    rows = [_list_row(entry, with_metric=one_metric is None) for entry in entries]
    show_table(f"{len(entries)} runs", columns, rows)


def _list_row(entry: RunEntry, *, with_metric: bool) -> list[object]:
    record, status = entry.record, entry.status
    if record is None:
        return [entry.name, None, None, "broken", None, None, None]
    score = chosen_score(entry)
    metric = f"{record.config.training.select_by} " if with_metric else ""
    return [
        entry.name,
        record.config.model,
        record.data.name if record.data else None,
        status.state if status else "broken",
        status.epoch if status else None,
        None if score is None else f"{metric}{score:.4f}",
        "bundled" if entry.run.bundled else f"{record.provenance.created:%Y-%m-%d}",
    ]


def chosen_score(entry: RunEntry) -> float | None:
    """Validation metric of the kept epoch, by which it was chosen; None before a run is evaluated."""
    from rednd_core.errors import RedndError

    if entry.record is None:
        return None
    try:
        evaluation = entry.run.evaluation()
    except RedndError:  # the run is listed all the same; `rednd runs show` says what is wrong
        return None
    return evaluation.valid.get(entry.record.config.training.select_by) if evaluation else None


def show_run(run: Run) -> None:
    """Print what a run is, what came of it, and what it was trained with."""
    show_table(f"Run {run.name}", ["", ""], _facts(run))
    if (evaluation := run.evaluation()) is not None:
        counts = evaluation.n_users
        columns = {
            f"valid ({counts.get('valid', 0):,} users)": evaluation.valid,
            f"test ({counts.get('test', 0):,} users)": evaluation.test,
        }
        columns = {heading: metrics for heading, metrics in columns.items() if metrics}
        rows = [
            [metric, *(_score(metrics.get(metric)) for metrics in columns.values())]
            for metric in evaluation.valid
        ]
        show_table(f"Results of epoch {evaluation.epoch}", ["metric", *columns], rows)
    config = run.config
    settings = config.hyperparameters | config.training.model_dump(mode="json")
    rows = [[name, _setting(value)] for name, value in settings.items()]
    show_table("Settings", ["setting", "value"], rows)


def _facts(run: Run) -> Iterator[tuple[str, str]]:
    from rednd_core.runs import alignment_weight

    record, status = run.record, run.status
    yield "model", record.config.model
    best = "" if status.best_epoch is None else f", best epoch {status.best_epoch}"
    yield "state", f"{status.state} after epoch {status.epoch}{best}"
    if status.message and status.state != "finished":
        yield "message", status.message
    for notice in run.notices():
        yield "notice", notice
    weight = alignment_weight(run)
    if weight is not None and weight.moved:
        yield "alignment weight", str(weight)
    yield "data", record.config.data.path
    if (data := record.data) is not None:
        yield "users, items", f"{data.n_users:,} users, {data.n_items:,} items"
        parts = f"{data.n_train:,} train, {data.n_valid:,} validation, {data.n_test:,} test"
        yield "interactions", parts
        yield "digest", data.digest
    yield "split", record.config.data.split
    if (model := record.model) is not None:
        yield "layers", f"0 to {model.n_layers} of {', '.join(model.modalities)}"
    origin = record.provenance
    yield "created", f"{origin.created:%Y-%m-%d %H:%M} UTC"
    if origin.processes > 1:
        yield "processes", str(origin.processes)
    if origin.commit:
        yield "commit", origin.commit
    if origin.versions:
        yield "versions", ", ".join(f"{name} {text}" for name, text in origin.versions.items())
    bundled = ", bundled" if run.bundled else ""
    yield "folder", f"{run.path} ({run.disk_bytes / 1e6:.1f} MB{bundled})"


def _score(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _setting(value: object) -> str:
    """As ``--set`` takes it."""
    return value if isinstance(value, str) else json.dumps(value)
