"""Options and output that several commands share."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rednd_core.config import DataConfig, parse_settings
from rednd_core.errors import ConfigError

if TYPE_CHECKING:
    from rednd_core.data.schema import Dataset
    from rednd_core.runs import Run, RunStore

RunsDir = Annotated[
    Path | None,
    typer.Option("--runs-dir", help="Folder of runs; default $REDND_RUNS or ./runs."),
]
RunName = Annotated[str, typer.Option("--run", help="Name of a run, see `rednd runs list`.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Data = Annotated[Path, typer.Option("--data", help="MMRec folder or CSV file.")]


def open_store(runs_dir: Path | None) -> RunStore:
    """The store of ``--runs-dir``, or the default one; bundled runs are there in both."""
    from rednd_core.runs import RunStore, default_store

    store = default_store()
    return store if runs_dir is None else RunStore(runs_dir, bundled=store.bundled)


def load_run_data(run: Run) -> Dataset:
    """The data set that a run was trained on; refuses one whose content has changed."""
    from rednd_core.data import load_configured

    record = run.record
    dataset = load_configured(record.config.data)
    record.require_data(dataset.digest)
    return dataset


def data_config(path: str, split: str) -> DataConfig:
    """``--data`` and ``--split``, validated; the folder is not looked at."""
    return parse_settings(DataConfig, {"path": path, "split": split}, "data setting")


def parse_assignments(assignments: Iterable[str]) -> dict[str, Any]:
    """``key=value`` pairs as a mapping; a value is JSON where it parses as JSON, else text."""
    settings: dict[str, Any] = {}
    for assignment in assignments:
        key, text = split_assignment(assignment)
        settings[key] = parse_value(text)
    return settings


def split_assignment(assignment: str) -> tuple[str, str]:
    """Key and value of ``key=value``; without an ``=`` a ConfigError."""
    key, equals, text = assignment.partition("=")
    if not equals:
        raise ConfigError(
            expected="settings as key=value", found=repr(assignment), remedy="add the value"
        )
    return key, text


def parse_value(text: str) -> Any:
    """``text`` as JSON where it is JSON, else as it stands."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def print_json(value: object) -> None:
    """One line of JSON on standard output; NaN and infinity become null."""
    sys.stdout.write(json.dumps(_plain(value), ensure_ascii=False) + "\n")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if hasattr(value, "item"):  # a NumPy scalar
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def say(text: str) -> None:
    """A line for people, on standard error, so that standard output stays machine-readable."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def show_table(title: str, columns: list[str], rows: Iterable[Iterable[object]]) -> None:
    """A table on standard output, as wide as the terminal allows."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    Console().print(table)
