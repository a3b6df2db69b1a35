"""``rednd train``: in the foreground, or as the job that the app started."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rednd_core.cli.options import (
    Json,
    RunsDir,
    data_config,
    open_store,
    parse_assignments,
    print_json,
    say,
)
from rednd_core.cli.signals import on_first_signal
from rednd_core.errors import ConfigError, RunError

if TYPE_CHECKING:
    from rednd_core.config import RunConfig
    from rednd_core.runs import RunWriter
    from rednd_core.training.experiment import Summary


def train(
    data: Annotated[Path | None, typer.Option(help="MMRec folder or CSV file.")] = None,
    model: Annotated[str | None, typer.Option(help="Model, e.g. lightgcn or rednnd.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A setting; repeatable.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Same as --set seed=S.")] = None,
    split: Annotated[str, typer.Option(help="auto, given, random or leave_last_out.")] = "auto",
    runs_dir: RunsDir = None,
    run: Annotated[str | None, typer.Option(help="Name of the new run.")] = None,
    resume: Annotated[str | None, typer.Option(help="Continue this run.")] = None,
    as_json: Json = False,
    job: Annotated[Path | None, typer.Option(hidden=True)] = None,
) -> None:
    """Train a model and record the run.

    Examples:

    * `rednd train --data sample_data/shop --model lightgcn`
    * `rednd train --data baby --model rednnd --set alignment_weight=0.01 --set epochs=50 --seed 1`
    * `rednd train --resume rednnd-baby-1`
    """
    from rednd_core.runs import Provenance, RunRecord, RunWriter, create_run, requeue
    from rednd_core.runs.layout import check_run_name

    if job is not None:
        writer = RunWriter(job)
        _train(writer, resume=writer.layout.last_place.exists(), queued=True)
        return
    store = open_store(runs_dir)
    if resume is not None:
        if data or model or settings or run or seed is not None or split != "auto":
            raise ConfigError(
                expected="--resume alone, as a run keeps its settings",
                found="further settings",
                remedy="leave them out, or start a new run with them",
            )
        opened = store.open(resume)
        if opened.bundled or opened.status.is_live:
            raise ConfigError(
                expected="a run of your own that is over",
                found=f"{resume}, {'a bundled run' if opened.bundled else opened.status.state}",
                remedy="choose another run, or stop it first",
            )
        if not opened.layout.last_place.exists():
            raise ConfigError(
                expected=f"a last checkpoint of {resume} to continue from",
                found="none",
                remedy="start a new run",
            )
        requeue(opened.path)
        summary = _train(RunWriter(opened.path), resume=True)
    else:
        if data is None or model is None:
            raise typer.BadParameter("give --data and --model, or --resume RUN")
        config = make_config(data, model, settings or [], seed=seed, split=split)
        name = check_run_name(run or store.new_name(model, data.resolve().stem))
        record = RunRecord(config=config, provenance=Provenance(seed=config.training.seed))
        summary = _train(create_run(store.root / name, record))
    if as_json:
        print_json(summary.to_dict())
    else:
        _show(summary)


def make_config(
    data: Path, model: str, assignments: list[str], *, seed: int | None, split: str
) -> RunConfig:
    """Validate everything that can be validated before the data is read."""
    from rednd_core.models.settings import configure

    settings = parse_assignments(assignments) | ({} if seed is None else {"seed": seed})
    return configure(model, data_config(str(data), split), settings)


def _train(writer: RunWriter, *, resume: bool = False, queued: bool = False) -> Summary:
    """Train, with signals turned into a stop and every failure written into the run."""
    from rednd_core.jobs import StoppedWhileQueued, slot
    from rednd_core.runs import Command, Run, send
    from rednd_core.training.callbacks import Callback, EpochReport
    from rednd_core.training.experiment import train_run
    from rednd_core.training.trainer import Trainer

    class Narrator(Callback):
        def on_epoch(self, trainer: Trainer, report: EpochReport) -> None:
            losses = "  ".join(f"{name} {value:.4f}" for name, value in report.losses.items())
            metric = trainer.config.select_by
            valid = f"  valid {metric} {report.valid[metric]:.4f}" if report.valid else ""
            best = " *" if report.improved else ""
            say(f"epoch {report.epoch}  {losses}{valid}{best}  {report.seconds:.2f} s")

        def on_event(self, trainer: Trainer, event: str, details: Any) -> None:
            say(f"{event} {' '.join(f'{k}={v}' for k, v in details.items())}".rstrip())

    def stop() -> None:
        """The run ends within a batch, with its results."""
        with suppress(RunError):  # it is over already
            send(Run(writer.path), Command(command="stop"))

    with writer.recording_failure():
        try:
            with on_first_signal(stop), slot(writer) if queued else nullcontext():
                return train_run(writer, resume=resume, watch=[Narrator()])
        except StoppedWhileQueued:
            pass
    raise SystemExit(0)


def _show(summary: Summary) -> None:
    typer.echo(
        f"Run {summary.run}: {summary.state} after {summary.epochs} epochs, "
        f"best epoch {summary.best_epoch} by validation."
    )
    for split, metrics in (("valid", summary.valid), ("test", summary.test)):
        shown = "  ".join(
            f"{name} {value:.4f}"
            for name, value in metrics.items()
            if name.startswith(("recall", "ndcg"))
        )
        typer.echo(f"{split:>5}  {shown}")
    typer.echo(
        f"{summary.seconds_per_epoch:.2f} s an epoch, {summary.seconds_per_validation:.2f} s a "
        f"validation, peak memory {summary.peak_memory_mb:.0f} MB"
    )
