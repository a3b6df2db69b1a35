"""``rednd study FILE.toml``: a study that a file declares."""

from __future__ import annotations

from pathlib import Path

from rednd_core.cli.many_runs import report_end, working_pool
from rednd_core.cli.options import open_store, print_json, show_table
from rednd_core.writable import require_output


def run_file(
    file: Path,
    *,
    markdown: Path | None,
    name: str | None,
    workers: int | None,
    scheduler: str | None,
    runs_dir: Path | None,
    as_json: bool,
) -> None:
    """Train what the file declares and is not trained yet, and report it."""
    from rednd_core.atomic import write_bytes
    from rednd_core.sweeps.declared import read_declaration, run_declared
    from rednd_core.sweeps.declared_report import chosen_table, placed, stage_table

    plan = read_declaration(file)
    if markdown is not None:
        require_output(markdown)
    store = open_store(runs_dir)
    with working_pool(scheduler, workers) as (pool, listener):
        record = run_declared(plan, name or plan.default_name(file), store, pool, listener)
    if markdown is not None and record.state == "finished":
        before = markdown.read_text("utf-8") if markdown.exists() else ""
        write_bytes(markdown, placed(before, record, store).encode())
    if as_json:
        print_json(record.model_dump(mode="json"))
    else:
        stages = stage_table(record)
        if stages[1]:
            show_table(f"{plan.title}: the stages, validation only", *stages)
        show_table(f"{plan.title}: chosen points, mean ± sd over the seeds", *chosen_table(record))
    report_end(record)
