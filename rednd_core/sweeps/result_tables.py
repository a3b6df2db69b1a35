"""Studies and sweeps as tables: cells for people, rows for CSV and JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from rednd_core.evaluation.metrics import parse_metric
from rednd_core.sweeps.campaign_files import Outcome
from rednd_core.sweeps.grid_points import describe
from rednd_core.sweeps.study import StudyRecord
from rednd_core.sweeps.summary import Row, Spread
from rednd_core.sweeps.sweep import SweepRecord

Table = tuple[list[str], list[list[str]]]
"""Column names and cells."""

SPLITS = ("valid", "test")
CSV_COLUMNS = (
    *("data", "model", "variation", "split", "metric", "n", "seeds", "mean", "sd"),
    *("against", "difference_mean", "difference_sd", "difference_ci95", "n_higher"),
)


def shown_metrics(select_by: str) -> list[str]:
    """The metric that selects, and NDCG and recall at its cut-off."""
    _, k = parse_metric(select_by)
    return list(dict.fromkeys([select_by, f"recall@{k}", f"ndcg@{k}"]))


def plus_minus(spread: Spread | None, digits: int = 4) -> str:
    """``0.0948 ± 0.0015``; without a spread for one value."""
    if spread is None:
        return ""
    sd = "" if spread.sd is None else f" ± {spread.sd:.{digits}f}"
    return f"{spread.mean:.{digits}f}{sd}"


def difference(spread: Spread | None) -> str:
    """``+0.0012 ± 0.0003 (3/3)``: mean and sd seed by seed, and how many of the seeds are higher."""
    if spread is None:
        return ""
    sd = "" if spread.sd is None else f" ± {spread.sd:.4f}"
    return f"{spread.mean:+.4f}{sd} ({_n_higher(spread)}/{spread.n})"


def study_table(record: StudyRecord, rows: Sequence[Row]) -> Table:
    """One line for each data set x model x variation: mean ± sd over the seeds."""
    metrics = shown_metrics(record.select_by)
    names = [f"{split} {metric}" for split in SPLITS for metric in metrics]
    lines = [
        [
            row.data,
            row.label,
            str(len(row.seeds)),
            *(plus_minus(row.valid.get(metric)) for metric in metrics),
            *(plus_minus(row.test.get(metric)) for metric in metrics),
            plus_minus(row.best_epoch, 1),
            plus_minus(row.seconds_per_epoch, 2),
        ]
        for row in rows
    ]
    return ["data", "model", "n", *names, "best epoch", "s/epoch"], lines


def difference_table(record: StudyRecord, rows: Sequence[Row]) -> Table:
    """One line for each row that is compared with another, seed by seed."""
    metrics = shown_metrics(record.select_by)
    pairs = [(split, metric) for split in SPLITS for metric in metrics]
    lines = [
        [row.data, row.label, row.against, *(difference(row.differences.get(p)) for p in pairs)]
        for row in rows
        if row.against is not None
    ]
    return ["data", "model", "minus", *(" ".join(pair) for pair in pairs)], lines


def study_markdown(record: StudyRecord, rows: Sequence[Row]) -> str:
    """Both tables, with seeds, selection rule, the meaning of ±, and commits."""
    seeds = ", ".join(map(str, record.plan.seeds))
    paragraphs = [
        f"**{record.name}**: mean ± standard deviation over the seeds {seeds} (n as given). The "
        f"checkpoint is the epoch with the best validation {record.select_by}; test is read once a "
        f"run, on it. Commit {', '.join(record.commits) or 'unknown'}."
    ]
    if common := describe(record.plan.settings):
        paragraphs.append(f"Settings other than the defaults: {common}.")
    paragraphs.append(as_markdown(study_table(record, rows)))
    differences = difference_table(record, rows)
    if differences[1]:
        paragraphs.append(
            "Differences of runs with the same seed: mean ± standard deviation (seeds with a higher value)."
        )
        paragraphs.append(as_markdown(differences))
    return "\n\n".join(paragraphs) + "\n"


def study_rows(rows: Sequence[Row]) -> Iterator[dict[str, object]]:
    """Long form: a row for each metric, under the names of ``CSV_COLUMNS``."""
    for row in rows:
        spreads: list[tuple[str, str, Spread | None]] = [
            *(("valid", metric, spread) for metric, spread in row.valid.items()),
            *(("test", metric, spread) for metric, spread in row.test.items()),
            ("", "best_epoch", row.best_epoch),
            ("", "seconds_per_epoch", row.seconds_per_epoch),
        ]
        for split, metric, spread in spreads:
            if spread is None:
                continue
            compared = row.differences.get((split, metric))
            yield {
                "data": row.data,
                "model": row.model,
                "variation": describe(row.variation),
                "split": split,
                "metric": metric,
                "n": spread.n,
                "seeds": " ".join(map(str, spread.values)),
                "mean": spread.mean,
                "sd": spread.sd,
                "against": row.against if compared else None,
                "difference_mean": compared.mean if compared else None,
                "difference_sd": compared.sd if compared else None,
                "difference_ci95": compared.half_width if compared else None,
                "n_higher": _n_higher(compared) if compared else None,
            }


def study_csv(rows: Sequence[Row]) -> str:
    """:func:`study_rows` as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, CSV_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(study_rows(rows))
    return text.getvalue()


def sweep_table(record: SweepRecord) -> Table:
    """One line a point, best validation first, without test metrics; the state unless it is ``finished``."""
    metrics = shown_metrics(record.select_by)
    lines = []
    for point in record.ranked:
        outcome = point.outcome or Outcome(state="stopped")
        scores = [outcome.valid.get(metric) for metric in metrics]
        state: str = outcome.state if point.outcome else "waiting"
        if point.result is not None:
            state = "chosen" if point.run == record.best else ""
        lines.append(
            [
                describe(point.settings),
                *("" if score is None else f"{score:.4f}" for score in scores),
                "" if outcome.best_epoch is None else str(outcome.best_epoch),
                str(outcome.epochs),
                "" if outcome.seconds is None else f"{outcome.seconds:.1f}",
                state,
            ]
        )
    columns = ["point", *(f"valid {metric}" for metric in metrics)]
    return [*columns, "best epoch", "epochs", "seconds", "state"], lines


def as_markdown(table: Table) -> str:
    """A table in Markdown."""
    columns, lines = table
    rows = [columns, ["---"] * len(columns), *lines]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows)


def _n_higher(spread: Spread) -> int:
    return sum(value > 0 for value in spread.values.values())
