"""``rednd sweep``: search hyper-parameters, choose by validation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rednd_core.cli.data_options import DataOptions, with_data_options, with_features
from rednd_core.cli.many_runs import (
    NameOption,
    Scheduler,
    Settings,
    Workers,
    absolute,
    parse_axes,
    report_end,
    working_pool,
)
from rednd_core.cli.options import (
    MODEL_HELP,
    Data,
    Json,
    RunsDir,
    open_store,
    print_json,
    run_settings,
    show_table,
)
from rednd_core.cli.speech import say, tell

if TYPE_CHECKING:
    from rednd_core.sweeps.sweep import SweepRecord

MANY_RUNS = 20  # from here on the staged search is mentioned


@with_data_options
def sweep(
    data: Data,
    model: Annotated[str, typer.Option(help=MODEL_HELP)],
    grid: Annotated[
        list[str],
        typer.Option("--grid", metavar="KEY=V1,V2", help="A setting and its values; repeatable."),
    ],
    settings: Settings = None,
    seed: Annotated[int | None, typer.Option(help="Same as --set seed=S.")] = None,
    reading: DataOptions = DataOptions(),
    staged: Annotated[
        bool,
        typer.Option(
            "--staged",
            help="Vary one setting at a time, in the given order, from each one's first value, and "
            "keep the best: far fewer runs, but settings that only work together are missed.",
        ),
    ] = False,
    name: NameOption = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    runs_dir: RunsDir = None,
    as_json: Json = False,
) -> None:
    """Train a grid of settings and choose one by validation.

    Each point of the grid is an ordinary run. The test part is read for the chosen run only, after all
    runs have ended. The same command, given again, continues where it was stopped.

    Examples:

    * `rednd sweep --data baby --model lightgcn --grid n_layers=1,2,3 --grid learning_rate=1e-3,1e-2`
    * `rednd sweep --data baby --model rednnd --staged --grid knn_k=10,5,20 --grid alignment_weight=1e-3,1e-4`
    """
    from rednd_core.sweeps.sweep import SweepPlan, run_sweep

    plan = SweepPlan(
        data=with_features(reading.config(absolute(data)), [model]),
        model=model,
        settings=run_settings(settings, seed),
        grid=parse_axes(grid),
        staged=staged,
    )
    store = open_store(runs_dir)
    if plan.n_points > MANY_RUNS and not staged:
        fewer = plan.model_copy(update={"staged": True}).n_points
        say(f"{plan.n_points} runs; --staged would train {fewer}, one setting after the other")
    with working_pool(scheduler, workers) as (pool, listener):
        record = run_sweep(plan, store, pool, listener, name)
    if as_json:
        print_json(record.model_dump(mode="json"))
    else:
        _show(record, store.root)
    report_end(record)


def _show(record: SweepRecord, root: Path) -> None:
    from rednd_core.sweeps.grid_points import describe
    from rednd_core.sweeps.result_tables import shown_metrics, sweep_table

    how = (
        "one setting after the other (interactions not searched)" if record.plan.staged else "grid"
    )
    title = (
        f"Sweep {record.name}: {how}, {record.n_finished} of {len(record.points)} points finished"
    )
    show_table(title, *sweep_table(record))
    best = next((point for point in record.points if point.run == record.best), None)
    if best is not None and best.result is not None:
        tell(f"Chosen by validation {record.select_by}: {describe(best.settings)}")
        for part, metrics in (("valid", best.result.valid), ("test", best.result.test)):
            values = [(metric, metrics.get(metric)) for metric in shown_metrics(record.select_by)]
            shown = "  ".join(
                f"{metric} {value:.4f}" for metric, value in values if value is not None
            )
            tell(f"{part:>5}  {shown}")
        tell(f"Run {best.run} in {root}")
