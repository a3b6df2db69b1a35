"""Options and output that several commands share."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rednd_core.config import TrainingConfig
from rednd_core.errors import ConfigError, unknown_name

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


def parse_settings_options(
    model: str, assignments: Iterable[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Sort ``key=value`` pairs into hyper-parameters of ``model`` and training settings.

    Values are JSON where they parse as JSON, else text.

    Raises:
        ConfigError: no ``=``, or a key that is neither; names the nearest valid one.
    """
    from rednd_core.models.registry import model_class

    hyperparameters: dict[str, Any] = {}
    training: dict[str, Any] = {}
    own = model_class(model).settings_class.model_fields
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals:
            raise ConfigError(
                expected="settings as key=value", found=repr(assignment), remedy="add the value"
            )
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        if key in own:
            hyperparameters[key] = value
        elif key in TrainingConfig.model_fields:
            training[key] = value
        else:
            raise unknown_name(f"setting of {model}", key, [*own, *TrainingConfig.model_fields])
    return hyperparameters, training


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
        table.add_column(column)
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    Console().print(table)
