"""A training that says what it does, line by line, and stops tidily at a signal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rednd_core.cli.signals import on_first_signal
from rednd_core.cli.speech import say
from rednd_core.runs import Command, RunWriter

if TYPE_CHECKING:
    from rednd_core.data.schema import Dataset
    from rednd_core.training.distributed import World
    from rednd_core.training.experiment import Summary


@contextmanager
def stoppable(writer: RunWriter, *, keep_refused: bool) -> Iterator[None]:
    """The first signal asks the run to stop; every failure in the block is written into the run."""

    def stop() -> None:
        """Ask the run to end within a batch; its results are written."""
        writer.control.ask(Command(command="stop"))

    with on_first_signal(stop), writer.recording_failure(keep_refused=keep_refused):
        yield


def train_with_lines(
    writer: RunWriter, *, resume: bool, read_test: bool = True, world: World | None = None
) -> Summary:
    """Train the run of ``writer``, alone or with the other processes of ``world``. Loads torch."""
    from rednd_core.training.callbacks import Callback, EpochReport, Training
    from rednd_core.training.distributed import ALONE
    from rednd_core.training.experiment import train_run

    class ProgressLines(Callback):
        def on_data(self, dataset: Dataset) -> None:
            say(f"read as  {dataset.recognised}")
            for notice in dataset.notices:
                say(f"notice  {notice.message}")

        def on_epoch(self, trainer: Training, report: EpochReport) -> None:
            losses = "  ".join(f"{name} {value:.4f}" for name, value in report.losses.items())
            metric = trainer.config.select_by
            valid = f"  valid {metric} {report.valid[metric]:.4f}" if report.valid else ""
            best = " *" if report.improved else ""
            say(f"epoch {report.epoch}  {losses}{valid}{best}  {report.seconds:.2f} s")

        def on_event(self, trainer: Training, event: str, details: Any) -> None:
            if event == "notice":
                say(f"notice  {details['message']}")
                return
            say(f"{event} {' '.join(f'{k}={v}' for k, v in details.items())}".rstrip())

    return train_run(
        writer,
        resume=resume,
        watch=[ProgressLines()],
        read_test=read_test,
        world=world or ALONE,
    )
