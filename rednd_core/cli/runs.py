"""``rednd runs``: list, show, delete, restore, relink, import, export."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rednd_core.cli.import_runs import import_run
from rednd_core.cli.options import Json, RunsDir, open_store, print_json, show_table, stored_path
from rednd_core.cli.speech import tell

if TYPE_CHECKING:
    from rednd_core.runs import RunEntry

HELP = """List, show, delete, restore, relink, import and export runs.

Examples:

* `rednd runs list`
* `rednd runs export shop-lightgcn lightgcn.zip`
"""

runs_app = typer.Typer(help=HELP, no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="Name of a run.")]


@runs_app.command("list")
def list_runs(runs_dir: RunsDir = None, as_json: Json = False) -> None:
    """List your own runs, then the bundled runs, with the metric that chose the epoch.

    Examples:

    * `rednd runs list`
    * `rednd runs list --runs-dir /shared/runs --json`
    """
    from rednd_core.cli.run_tables import chosen_score, show_list

    entries = open_store(runs_dir).list()
    if as_json:
        print_json([_as_json(entry, chosen_score(entry)) for entry in entries])
        return
    show_list(entries)
    for entry in entries:
        if entry.problem:
            tell(f"{entry.name}: {entry.problem}")


def _as_json(entry: RunEntry, score: float | None) -> dict[str, object]:
    record, status = entry.record, entry.status
    return {
        "run": entry.name,
        "model": record.config.model if record else None,
        "data": record.data.name if record and record.data else None,
        "state": status.state if record and status else "broken",
        "epoch": status.epoch if status else None,
        "select_by": record.config.training.select_by if record else None,
        "valid": score,
        "created": record.provenance.created.isoformat() if record else None,
        "bundled": entry.run.bundled,
        "problem": entry.problem,
    }


@runs_app.command()
def show(name: Name, runs_dir: RunsDir = None, as_json: Json = False) -> None:
    """Show a run's settings, state and results.

    Example: `rednd runs show shop-lightgcn --json`
    """
    run = open_store(runs_dir).open(name)
    if not as_json:
        from rednd_core.cli.run_tables import show_run

        show_run(run)
        return
    evaluation = run.evaluation()
    print_json(
        {
            "run": name,
            "path": str(run.path),
            "disk_bytes": run.disk_bytes,
            "status": run.status.model_dump(mode="json"),
            "notices": run.notices(),
            "record": run.record.model_dump(mode="json"),
            "evaluation": evaluation.model_dump(mode="json") if evaluation else None,
        }
    )


@runs_app.command()
def delete(
    name: Name,
    runs_dir: RunsDir = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    for_good: Annotated[
        bool, typer.Option("--for-good", help="Free its space at once; it cannot be restored.")
    ] = False,
) -> None:
    """Delete a run of your own that is not in training; `rednd runs restore` brings it back.

    The last 20 deleted runs are kept, 4 GB together.

    Examples:

    * `rednd runs delete lightgcn-baby-1`
    * `rednd runs delete lightgcn-baby-1 --yes --for-good`
    """
    store = open_store(runs_dir)
    run = store.open(name)
    if not yes:
        typer.confirm(f"Delete {run.path} ({run.disk_bytes / 2**20:.1f} MB)?", abort=True)
    store.delete(name, for_good=for_good)
    restore_hint = "" if for_good else f"; `rednd runs restore {name}` brings it back"
    tell(f"Deleted {name}{restore_hint}")


@runs_app.command()
def restore(
    name: Annotated[str | None, typer.Argument(help="Name of a deleted run.")] = None,
    runs_dir: RunsDir = None,
    empty: Annotated[
        bool, typer.Option("--empty", help="Delete for good what could be restored.")
    ] = False,
) -> None:
    """Bring a deleted run back; without a name, list those that can be.

    Examples:

    * `rednd runs restore`
    * `rednd runs restore lightgcn-baby-1`
    * `rednd runs restore --empty`
    """
    store = open_store(runs_dir)
    if name is not None and empty:
        raise typer.BadParameter("give a name or --empty")
    if empty:
        store.empty_bin()
        tell("The bin is empty")
    elif name is not None:
        tell(f"Restored {store.restore(name).name}")
    else:
        rows = [
            [
                entry.name,
                f"{datetime.fromtimestamp(entry.deleted):%Y-%m-%d %H:%M}",
                f"{entry.disk_bytes / 2**20:.1f} MB",
            ]
            for entry in store.deleted()
        ]
        show_table(f"{len(rows)} deleted runs", ["run", "deleted", "size"], rows)


@runs_app.command()
def relink(
    name: Name,
    data: Annotated[Path, typer.Option("--data", help="Where the data set lies now.")],
    runs_dir: RunsDir = None,
) -> None:
    """Say where the data set of a run lies now; it has to be the same data set.

    Example: `rednd runs relink lightgcn-baby-1 --data /data/baby`
    """
    from rednd_core.data import load_recorded
    from rednd_core.errors import RunError
    from rednd_core.runs.data_place import move_place, with_path
    from rednd_core.runs.ownership import preparing, require_over

    store = open_store(runs_dir)
    run, path = store.open(name), stored_path(data)
    if run.bundled:
        raise RunError(
            expected="a run of your own", found=f"{name}, a bundled run", remedy="leave it as it is"
        )
    run.record.require_interactions("data of the run")
    moved = with_path(run.record, path)
    dataset = load_recorded(moved.config.data, moved.data_digest, moved.pairs_digest)
    moved.require_data(dataset.digest, dataset.pairs_digest)
    with preparing(store.root):
        require_over(run)
        move_place(run, path)
    tell(f"The data set of {name} is {path}")


@runs_app.command("export")
def export_run(
    name: Name,
    out: Annotated[Path, typer.Argument(help="Zip file to write.")],
    runs_dir: RunsDir = None,
) -> None:
    """Write a run as one zip file: all that `rednd reproduce` needs to train it once more.

    It holds configuration, versions, the digest of the data set, original ids, metrics, layers, the command
    that trained it (command.txt) and its figures as a page that opens offline (figures.html).

    Example: `rednd runs export shop-lightgcn lightgcn.zip`
    """
    from rednd_core.library import known_ids
    from rednd_core.runs import export

    run = open_store(runs_dir).open(name)
    tell(str(export(run, out, known_ids(run))))


runs_app.command("import")(import_run)
