"""``rednd reproduce``: train a run once more, and say which figures came out the same."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rednd_core.cli.options import (
    Data,
    Json,
    RunsDir,
    open_store,
    print_json,
    show_table,
    stored_path,
)
from rednd_core.cli.progress_lines import stoppable, train_with_lines
from rednd_core.cli.speech import tell

if TYPE_CHECKING:
    from rednd_core.runs import Run, RunStore
    from rednd_core.runs.sameness import Figure

DIFFERENT = 1


def reproduce(
    capsule: Annotated[
        str, typer.Argument(help="A run that was exported as .zip, or the name of a run.")
    ],
    data: Data,
    run: Annotated[str | None, typer.Option(help="Name of the new run.")] = None,
    runs_dir: RunsDir = None,
    as_json: Json = False,
) -> None:
    """Train a run once more as a new run, and say which figures came out the same bit for bit.

    Compared are the losses and validation metrics of every epoch, the metrics of the best epoch on
    validation and test, and the vectors that score. What has changed since (versions, machine, engine,
    threads, code) is named. The exit code is 0 where all is the same, and 1 where something differs.

    Examples:

    * `rednd reproduce shop-lightgcn --data sample_data/shop`
    * `rednd reproduce lightgcn.zip --data /data/baby --run again`
    """
    from rednd_core.runs.repeating import changes, repeated_config
    from rednd_core.runs.sameness import compare
    from rednd_core.runs.store import new_run

    store = open_store(runs_dir)
    with _opened(capsule, store) as recorded:
        config = repeated_config(recorded, stored_path(data))
        evaluation = recorded.evaluation()
        writer = new_run(store, config, run, data=recorded.record.data)
        with stoppable(writer, keep_refused=False):
            writer.claim()
            read_test = evaluation is None or evaluation.has_test
            summary = train_with_lines(writer, resume=False, read_test=read_test)
        again = store.open(writer.path.name)
        figures = compare(recorded, again)
        changed = list(changes(recorded.record.provenance, again.record.provenance))
        if summary.state == "stopped":
            changed.insert(0, f"The new training was stopped after {summary.epochs} epochs.")
        name = recorded.name
    same = all(figure.same for figure in figures)
    if as_json:
        found = [{**asdict(figure), "same": figure.same} for figure in figures]
        print_json(
            {"run": again.name, "of": name, "same": same, "figures": found, "changes": changed}
        )
    else:
        _show(name, again, figures, changed)
    if not same:
        raise typer.Exit(DIFFERENT)


@contextmanager
def _opened(capsule: str, store: RunStore) -> Iterator[Run]:
    """The run that ``capsule`` names, or that it holds; an archive does not become a run of the store."""
    from rednd_core.runs import RunStore, import_archive

    path = Path(capsule)
    if path.suffix.lower() != ".zip":
        yield store.open(capsule)
        return
    with tempfile.TemporaryDirectory() as folder:
        yield import_archive(path, RunStore(Path(folder)))


def _show(name: str, again: Run, figures: Sequence[Figure], changed: Sequence[str]) -> None:
    from rednd_core.runs.sameness import SECTIONS

    rows = []
    for section in SECTIONS:
        found = [figure for figure in figures if figure.section == section]
        n_same, n_values = sum(f.same for f in found), sum(f.n_values for f in found)
        kept = f"{n_same} of {len(found)}" if found else "not kept in the run"
        rows.append([section, kept, f"{n_values:,}"])
    show_table(
        f"{again.name} beside {name}", ["figures", "the same bit for bit", "values compared"], rows
    )
    different = [figure for figure in figures if not figure.same]
    if different:
        show_table(
            "What differs",
            ["figure", "values that differ", "by at most", "where"],
            [_row(figure) for figure in different],
        )
    for sentence in changed:
        tell(sentence)
    if different:
        tell(
            f"{len(different)} of {len(figures)} figures of {name} came out differently in the new run "
            f"{again.name}."
        )
        if not changed:
            tell("Nothing that the run recorded of its surroundings has changed since.")
    else:
        tell(
            f"All {len(figures)} figures of {name} came out the same bit for bit in the new run {again.name}."
        )


def _row(figure: Figure) -> list[str]:
    differ = f"{figure.n_different:,} of {figure.n_values:,}"
    most = "missing" if figure.largest is None else f"{figure.largest:.3g}"
    return [f"{figure.section}: {figure.name}", differ, most, figure.where]
