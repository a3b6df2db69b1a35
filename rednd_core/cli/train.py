"""``rednd train``: in the foreground, alone or as one of several processes."""

from __future__ import annotations

import logging
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rednd_core.cli.data_options import DataOptions, with_data_options, with_features
from rednd_core.cli.options import (
    MODEL_HELP,
    Json,
    RunsDir,
    open_store,
    parse_assignments,
    print_json,
    run_settings,
    stored_path,
)
from rednd_core.cli.progress_lines import stoppable, train_with_lines
from rednd_core.cli.signals import on_first_signal
from rednd_core.cli.speech import tell
from rednd_core.errors import ConfigError

if TYPE_CHECKING:
    from rednd_core.runs import Command
    from rednd_core.training.distributed import World
    from rednd_core.training.experiment import Summary


@with_data_options
def train(
    data: Annotated[
        Path | None, typer.Option(help="Folder, table or archive of a data set.")
    ] = None,
    model: Annotated[str | None, typer.Option(help=MODEL_HELP)] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A setting; repeatable.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Same as --set seed=S.")] = None,
    reading: DataOptions = DataOptions(),
    runs_dir: RunsDir = None,
    run: Annotated[str | None, typer.Option(help="Name of the new run.")] = None,
    resume: Annotated[
        str | None,
        typer.Option(
            help="Continue this run; --set may change its epochs, patience, device and engine."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Train a model and record the run.

    Examples:

    * `rednd train --data sample_data/shop --model lightgcn`
    * `rednd train --data baby --model rednnd --set alignment_weight=0.01 --set epochs=50 --seed 1`
    * `rednd train --data reviews.csv --column user=reviewer --column item=product --model lightgcn`
    * `rednd train --data baby --model lightgcn --split random --ratios 0.7,0.1,0.2 --split-seed 3`
    * `rednd train --resume rednnd-baby-1`
    * `rednd train --resume rednnd-baby-1 --set epochs=200 --set device=cpu`
    * `torchrun --nproc-per-node 2 -m rednd_core train --data baby --model rednnd`
    """
    from rednd_core.modeling.defaults import configure
    from rednd_core.runs import RunWriter
    from rednd_core.runs.continuing import change_training, continued_training
    from rednd_core.runs.ownership import continuing
    from rednd_core.runs.store import new_run
    from rednd_core.training.distributed import joined

    with joined() as world:
        if not world.leads:
            _take_part(world)
            return
        store = open_store(runs_dir)
        if resume is not None:
            if reading.are_given or any(option is not None for option in (data, model, run, seed)):
                raise ConfigError(
                    expected="--resume alone or with --set, as a run keeps its model and data",
                    found="further options",
                    remedy="leave them out, or start a new run with them",
                )
            opened = store.open(resume)
            training = continued_training(opened, parse_assignments(settings or []))
            with continuing(opened):
                writer = RunWriter(opened.path)
                with writer.recording_failure():
                    change_training(writer, training)
                    writer.claim()
        else:
            if data is None or model is None:
                raise typer.BadParameter("give --data and --model, or --resume RUN")
            source = with_features(reading.config(stored_path(data)), [model])
            config = configure(model, source, run_settings(settings, seed))
            writer = new_run(store, config, run)
            with writer.recording_failure(keep_refused=False):
                writer.claim()
        resumed = resume is not None
        # Signals outside: torchrun sends one to all when a process ends, and that is to be recorded.
        with stoppable(writer, keep_refused=resumed):
            summary = train_with_lines(writer, resume=resumed, world=world)
    if as_json:
        print_json(summary.to_dict())
    else:
        _show(summary)


def _take_part(world: World) -> None:
    """Train beside process 0 and print nothing; a signal to this process stops all of them."""
    from rednd_core.runs import Command
    from rednd_core.training.experiment import take_part

    logging.getLogger("rednd_core").setLevel(logging.ERROR)  # process 0 logs for all
    commands: list[Command] = []

    def poll() -> list[Command]:
        taken = commands.copy()
        commands.clear()
        return taken

    with on_first_signal(lambda: commands.append(Command(command="stop"))):
        take_part(world, poll)


def _show(summary: Summary) -> None:
    tell(
        f"Run {summary.run}: {summary.state} after {summary.epochs} epochs, "
        f"best epoch {summary.best_epoch} by validation."
    )
    for split, metrics in (("valid", summary.valid), ("test", summary.test)):
        shown = "  ".join(
            f"{name} {value:.4f}"
            for name, value in metrics.items()
            if name.startswith(("recall", "ndcg"))
        )
        tell(f"{split:>5}  {shown}")
    parts = [
        f"{seconds:.2f} s {what}"
        for what, seconds in (
            ("an epoch", summary.seconds_per_epoch),
            ("a validation", summary.seconds_per_validation),
        )
        if not math.isnan(seconds)  # a resumed run had nothing left to train
    ]
    tell(", ".join([*parts, f"peak memory {summary.peak_memory_mb:.0f} MB"]))
