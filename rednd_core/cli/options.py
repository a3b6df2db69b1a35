"""Options and output that several commands share."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rednd_core.cli.speech import give
from rednd_core.config import (
    portable_path,
    resolve_data_path,
)
from rednd_core.errors import ConfigError, DataError, printable
from rednd_core.modeling.registry import CARDS

if TYPE_CHECKING:
    from rednd_core.runs import RunStore

MODEL_HELP = f"One of {', '.join(CARDS)}."
RunsDir = Annotated[
    Path | None,
    typer.Option("--runs-dir", help="Folder of runs; default $REDND_RUNS or ./runs."),
]
RunName = Annotated[str, typer.Option("--run", help="Name of a run, see `rednd runs list`.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Data = Annotated[Path, typer.Option("--data", help="Folder, table or archive of a data set.")]


def open_store(runs_dir: Path | None) -> RunStore:
    """The store of ``--runs-dir``, or the default store; both include the bundled runs."""
    from rednd_core.runs import default_store

    return default_store(runs_dir)


def stored_path(data: Path) -> str:
    """The path of ``--data`` in the form that a run stores.

    Raises:
        DataError: nothing lies there; found before a run is made.
    """
    place = resolve_data_path(str(data))
    if not place.exists():
        raise DataError(
            expected="a data folder or file", found=f"nothing at {place}", remedy="check the path"
        )
    return portable_path(place)


def run_settings(assignments: Iterable[str] | None, seed: int | None) -> dict[str, Any]:
    """``--set`` and ``--seed`` together; the seed comes from one of them."""
    settings = parse_assignments(assignments or [])
    if seed is None:
        return settings
    if "seed" in settings:
        raise ConfigError(
            expected="the seed once",
            found=f"--seed {seed} and --set seed={settings['seed']}",
            remedy="leave one of them out",
        )
    return settings | {"seed": seed}


LISTS = ("ks", "modalities")
"""Settings that are lists: ``ks=20`` and ``ks=10,20`` mean the same as ``ks=[20]`` and ``ks=[10,20]``."""


def parse_assignments(assignments: Iterable[str]) -> dict[str, Any]:
    """``key=value`` pairs as a mapping; a value is JSON where it parses as JSON, else text."""
    texts = read_assignments(assignments, "setting")
    return {
        key: parse_values(text) if key in LISTS and text[:1] != "[" else parse_value(text)
        for key, text in texts.items()
    }


def read_assignments(assignments: Iterable[str], kind: str) -> dict[str, str]:
    """``key=value`` pairs as a mapping of texts; a repeated key is a ConfigError."""
    found: dict[str, str] = {}
    for assignment in assignments:
        key, text = split_assignment(assignment)
        if key in found:
            raise ConfigError(
                expected=f"every {kind} once",
                found=f"{key}={found[key]} and {key}={text}",
                remedy="leave one of them out",
            )
        found[key] = text
    return found


def split_assignment(assignment: str) -> tuple[str, str]:
    """Key and value of ``key=value``; without an ``=`` a ConfigError."""
    key, equals, text = assignment.partition("=")
    if not equals:
        raise ConfigError(
            expected="settings as key=value", found=repr(assignment), remedy="add the value"
        )
    return key, text


def parse_value(text: str) -> Any:
    """``text`` as JSON where it is JSON, else the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def parse_values(text: str) -> list[Any]:
    """``5,10`` or ``["image"],["text"]``: JSON where it is JSON, else each part by itself.

    Raises:
        ConfigError: an empty part.
    """
    try:
        values = json.loads(f"[{text}]")
    except ValueError:
        values = [parse_value(part.strip()) for part in text.split(",")]
    if not values or "" in values:
        raise ConfigError(
            expected="values with commas between them", found=repr(text), remedy="write e.g. 5,10"
        )
    return list(values)


def print_json(value: object) -> None:
    """One line of JSON on standard output; NaN and infinity become null."""
    give(json.dumps(_plain(value), ensure_ascii=False))


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


def show_table(title: str, columns: list[str], rows: Iterable[Iterable[object]]) -> None:
    """Print a table that is at most as wide as the terminal; no cell is cut off.

    If the table is too wide, each word of a heading gets a line; if that is not enough, cells are folded.
    """
    from rich.console import Console
    from rich.table import Table

    cells = [["" if cell is None else printable(str(cell)) for cell in row] for row in rows]

    def table(headings: Iterable[str]) -> Table:
        built = Table(collapse_padding=True)
        for heading in headings:
            built.add_column(heading, overflow="fold")
        for row in cells:
            built.add_row(*row)
        return built

    console = Console(markup=False, emoji=False, highlight=False)  # titles may look like markup
    console.print(printable(title), style="italic")
    wide = table(columns)
    unbounded = console.options.update(max_width=10_000)
    if console.measure(wide, options=unbounded).maximum > console.width:
        wide = table(heading.replace(" ", "\n") for heading in columns)
    console.print(wide)
