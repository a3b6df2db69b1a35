"""``rednd study``: the same runs with several seeds, as means with their spread."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rednd_core.cli.data_options import DataOptions, with_data_options, with_features
from rednd_core.cli.declared import run_file
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
    Json,
    RunsDir,
    open_store,
    parse_assignments,
    parse_values,
    print_json,
    show_table,
)
from rednd_core.cli.speech import say
from rednd_core.errors import ConfigError
from rednd_core.writable import require_output


@with_data_options
def study(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE.toml]",
            help="A file that declares the study, in the place of the options that say what to train.",
        ),
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option(help="Folder, table or archive of a data set; repeatable."),
    ] = None,
    model: Annotated[list[str] | None, typer.Option(help=f"{MODEL_HELP} Repeatable.")] = None,
    seeds: Annotated[str | None, typer.Option(metavar="S1,S2", help="Seeds, e.g. 1,2,3.")] = None,
    settings: Settings = None,
    vary: Annotated[
        list[str] | None,
        typer.Option("--vary", metavar="KEY=V1,V2", help="A setting to compare; repeatable."),
    ] = None,
    reading: DataOptions = DataOptions(),
    markdown: Annotated[Path | None, typer.Option(help="Write the table as Markdown.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write all metrics as CSV.")] = None,
    name: NameOption = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    runs_dir: RunsDir = None,
    as_json: Json = False,
) -> None:
    """Train with several seeds and report means with their spread.

    Each run is an ordinary run; its test part is read once, with its best checkpoint. Settings and
    variations go to the models that have them. The same command, given again, continues where it was
    stopped. A file can declare stages too: validation alone chooses, and test is read for the chosen
    points. With a file, --markdown replaces the study's section of that document.

    Examples:

    * `rednd study --data tiktok --data baby --model lightgcn --seeds 1,2,3 --markdown results.md`
    * `rednd study --data baby --model rednnd --seeds 1,2,3 --vary alignment_weight=0,1e-3`
    * `rednd study benchmarks/studies/worlds.toml --markdown docs/results.md`
    """
    if file is not None:
        if data or model or seeds or settings or vary or csv or reading.are_given:
            raise ConfigError(
                expected="what to train either in a file or in options",
                found=f"{file.name} and options",
                remedy="write the options into the file",
            )
        run_file(
            file,
            markdown=markdown,
            name=name,
            workers=workers,
            scheduler=scheduler,
            runs_dir=runs_dir,
            as_json=as_json,
        )
        return
    if not data or not model or not seeds:
        raise ConfigError(
            expected="a FILE.toml, or --data, --model and --seeds",
            found="neither",
            remedy="name a file such as benchmarks/studies/worlds.toml or give the three options",
        )
    from rednd_core.atomic import write_bytes
    from rednd_core.sweeps.result_tables import (
        difference_table,
        study_csv,
        study_markdown,
        study_rows,
        study_table,
    )
    from rednd_core.sweeps.study import StudyPlan, run_study
    from rednd_core.sweeps.summary import summarise

    plan = StudyPlan(
        data=tuple(with_features(reading.config(absolute(path)), model) for path in data),
        models=tuple(model),
        settings=parse_assignments(settings or []),
        vary=parse_axes(vary or []),
        seeds=_parse_seeds(seeds),
    )
    for output in (markdown, csv):
        if output is not None:
            require_output(output)
    for key, models in plan.partly_known().items():
        if models:
            say(f"{key} applies to {', '.join(models)} only")
    with working_pool(scheduler, workers) as (pool, listener):
        record = run_study(plan, open_store(runs_dir), pool, listener, name)
    rows = summarise(record)
    if markdown is not None:
        write_bytes(markdown, study_markdown(record, rows).encode())
    if csv is not None:
        write_bytes(csv, study_csv(rows).encode())
    if as_json:
        print_json({**record.model_dump(mode="json"), "summary": list(study_rows(rows))})
    else:
        title = (
            f"Study {record.name}: mean ± sd over the seeds {seeds}, "
            f"{record.n_finished} of {len(record.points)} runs finished"
        )
        show_table(title, *study_table(record, rows))
        differences = difference_table(record, rows)
        if differences[1]:
            show_table(
                "Differences seed by seed: mean ± sd (seeds with a higher value)", *differences
            )
    report_end(record)


def _parse_seeds(text: str) -> tuple[int, ...]:
    seeds = parse_values(text)
    if not all(type(seed) is int and seed >= 0 for seed in seeds):
        raise ConfigError(
            expected="whole numbers from 0 in --seeds", found=repr(text), remedy="write e.g. 1,2,3"
        )
    return tuple(seeds)
