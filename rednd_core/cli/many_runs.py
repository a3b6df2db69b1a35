"""What ``rednd sweep`` and ``rednd study`` share: options, workers, lines of progress, the last report."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rednd_core.cli import INTERRUPTED
from rednd_core.cli.options import parse_values, split_assignment
from rednd_core.cli.signals import on_first_signal
from rednd_core.cli.speech import say
from rednd_core.config import resolve_data_path
from rednd_core.wording import duration

if TYPE_CHECKING:
    from rednd_core.sweeps.campaign import Progress
    from rednd_core.sweeps.campaign_files import CampaignRecord, PointRecord
    from rednd_core.sweeps.cluster import DaskPool
    from rednd_core.sweeps.grid_points import Axis

Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="A setting of all runs; repeatable."),
]
NameOption = Annotated[
    str | None,
    typer.Option("--name", help="Name of the sweep or study; by default made from its plan."),
]
Workers = Annotated[
    int | None,
    typer.Option(min=1, help="Processes on this machine; default one a core, or one a GPU."),
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS", help="Use the workers of this Dask scheduler, tcp://host:8786."
    ),
]


class ProgressLines:
    """Writes a line to standard error for each finished point."""

    def __init__(self) -> None:
        self._select_by = ""

    def begun(self, record: CampaignRecord, n_points: int, n_parallel: int) -> None:
        self._select_by = record.select_by
        over = f", {record.n_finished} of them finished before" if record.n_finished else ""
        say(f"{record.name}: {n_points} runs{over}, {n_parallel} at a time")

    def point(self, point: PointRecord, progress: Progress) -> None:
        from rednd_core.sweeps.grid_points import describe

        outcome = point.outcome
        assert outcome is not None
        parts = [
            f"{progress.n_over} of {progress.n_points}",
            f"{point.data} {point.model} {describe(point.settings)}",
        ]
        score = outcome.valid.get(self._select_by)
        if score is not None:
            parts.append(f"valid {self._select_by} {score:.4f}")
            parts.append(f"epoch {outcome.best_epoch} of {outcome.epochs}")
        else:
            parts.append(outcome.state)
        if outcome.seconds is not None:
            parts.append(duration(outcome.seconds))
        if progress.seconds_left:
            parts.append(f"about {duration(progress.seconds_left)} left")
        say("  ".join(parts))


@contextmanager
def working_pool(
    scheduler: str | None, workers: int | None
) -> Iterator[tuple[DaskPool, ProgressLines]]:
    """A pool that Ctrl-C stops in order: each run in training keeps its last checkpoint."""
    from rednd_core.sweeps.cluster import DaskPool

    if scheduler is not None and workers is not None:
        raise typer.BadParameter(
            "--workers starts processes on this machine; a scheduler has its own workers"
        )
    with DaskPool(scheduler, workers) as pool:

        def stop() -> None:
            os.write(
                2, b"Stopping all runs; a second Ctrl-C ends them at once\n"
            )  # a handler may call it
            pool.stop()

        with on_first_signal(stop):
            yield pool, ProgressLines()


def parse_axes(options: Iterable[str]) -> tuple[Axis, ...]:
    """``key=v1,v2`` options, in their order."""
    from rednd_core.sweeps.grid_points import Axis

    axes = []
    for option in options:
        key, text = split_assignment(option)
        axes.append(Axis(key=key, values=tuple(parse_values(text))))
    return tuple(axes)


def absolute(data: Path) -> str:
    """The path by which workers in other folders, or on a shared disk, find the data."""
    return str(resolve_data_path(str(data)))


def report_end(record: CampaignRecord) -> None:
    """Report failures and unfinished runs; an unfinished sweep or study has an exit code of its own."""
    for point in record.points:
        if point.outcome is not None and point.outcome.state == "failed":
            say(f"failed: {point.run}: {point.outcome.message}")
    if len(record.commits) > 1:
        say(f"The runs were trained by different commits: {', '.join(record.commits)}")
    if record.state != "finished":
        say(f"{record.n_finished} runs are finished; give the same command again to continue")
        raise typer.Exit(INTERRUPTED)
