"""All commands in one application."""

from __future__ import annotations

from typing import Annotated

import typer

from rednd_core import __version__
from rednd_core.cli.bench import bench
from rednd_core.cli.data import data_app
from rednd_core.cli.evaluate import evaluate
from rednd_core.cli.neighbours import neighbours
from rednd_core.cli.project import project
from rednd_core.cli.publish import publish
from rednd_core.cli.recommend import recommend
from rednd_core.cli.reproduce import reproduce
from rednd_core.cli.runs import runs_app
from rednd_core.cli.smoothness import smoothness
from rednd_core.cli.speech import tell
from rednd_core.cli.study import study
from rednd_core.cli.sweep import sweep
from rednd_core.cli.train import train
from rednd_core.cli.vectors import vectors

HELP = """Train graph recommenders and see how their embeddings smooth out.

Examples:

* `rednd data check sample_data/shop`
* `rednd train --data sample_data/shop --model lightgcn`
* `rednd smoothness --run shop-lightgcn --depth 16`
"""

app = typer.Typer(
    name="rednd",
    help=HELP,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    add_completion=False,
)
COMMANDS = (
    train, sweep, study, evaluate, smoothness, project, recommend, neighbours, vectors, publish, reproduce,
    bench
)  # fmt: skip
for command in COMMANDS:
    app.command()(command)
app.add_typer(runs_app, name="runs")
app.add_typer(data_app, name="data")


def _version(wanted: bool) -> None:
    if wanted:
        tell(f"rednd {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """What goes before a command."""
