"""``rednd runs import``: an exported run, a checkpoint, or the vectors of another program."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rednd_core.cli.data_options import DataOptions, with_data_options
from rednd_core.cli.options import RunsDir, open_store, stored_path
from rednd_core.cli.speech import tell
from rednd_core.errors import CheckpointError, ConfigError

OWN_CHECKPOINT = ".safetensors"


@with_data_options
def import_run(
    sources: Annotated[
        list[Path],
        typer.Argument(
            help="A run as .zip, or files of vectors, or a checkpoint of another program."
        ),
    ],
    config: Annotated[
        Path | None,
        typer.Option(help="config.json of the run that a .safetensors checkpoint is of."),
    ] = None,
    run: Annotated[str | None, typer.Option(help="Name of the new run.")] = None,
    data: Annotated[
        Path | None, typer.Option(help="The data set; of a .zip by default as in your runs.")
    ] = None,
    propagate: Annotated[
        int | None,
        typer.Option(
            help="The vectors are layer 0 of a graph model: make so many layers of LightGCN."
        ),
    ] = None,
    rows: Annotated[
        str,
        typer.Option(
            help="How rows without ids are numbered: ids (by value), appearance (in the interactions), auto."
        ),
    ] = "auto",
    readout: Annotated[
        str, typer.Option(help="How layers become what scores: mean, sum, last or concat.")
    ] = "mean",
    user_key: Annotated[
        str | None, typer.Option(help="Name of the table of users in a checkpoint.")
    ] = None,
    item_key: Annotated[str | None, typer.Option(help="Name of the table of items.")] = None,
    reading: DataOptions = DataOptions(),
    runs_dir: RunsDir = None,
) -> None:
    """Import an exported run, or vectors and checkpoints of other programs, as a run like any other.

    Vectors are .npy, .npz, .safetensors, or .csv and .parquet with a column of ids. They are called users
    and items, or users_0, items_0, users_1 and so on where there are layers. Of a PyTorch checkpoint (.pth,
    .pt) the tables are found by their usual names. Nothing is unpickled.

    Examples:

    * `rednd runs import lightgcn.zip`
    * `rednd runs import best.safetensors --config config.json --data baby`
    * `rednd runs import users.npy items.npy --data sample_data/shop`
    * `rednd runs import model.pth --data ml-100k --propagate 3`
    """
    for path in (*sources, config):
        if path is not None and not path.is_file():
            raise CheckpointError(expected=f"a file {path}", found="none", remedy="check the path")
    suffixes = {path.suffix.lower() for path in sources}
    if ".zip" in suffixes or config is not None:
        if len(sources) > 1 or (config is not None and suffixes != {OWN_CHECKPOINT}):
            raise CheckpointError(
                expected="one .zip alone, or --config with one .safetensors checkpoint",
                found=", ".join(path.name for path in sources),
                remedy="import them one after the other, or leave --config out",
            )
        if reading.are_given or (propagate, rows, readout, user_key) != (
            None,
            "auto",
            "mean",
            None,
        ):
            raise ConfigError(
                expected="a run of this project without options for vectors and data",
                found="some of them",
                remedy="leave them out: the run has its own",
            )
        _import_own(sources[0], config, run, data, runs_dir)
        return
    from rednd_core.foreign.imported import How, import_vectors

    how = How(propagate, rows, readout, user_key, item_key)  # type: ignore[arg-type]
    read = None if data is None else reading.config(stored_path(data))
    imported, said = import_vectors(sources, open_store(runs_dir), run, data=read, how=how)
    for sentence in said:
        tell(f"notice  {sentence}")
    record = imported.record
    assert record.data is not None
    assert record.model is not None
    tell(
        f"Imported {imported.name}: {record.data.n_users:,} users, {record.data.n_items:,} items, "
        f"layers 0 to {record.model.n_layers}"
    )
    if (evaluation := imported.evaluation()) is not None:
        metric = record.config.training.select_by
        for part, values in (("valid", evaluation.valid), ("test", evaluation.test)):
            if values.get(metric) is not None:
                tell(f"{part} {metric} {values[metric]:.4f}")


def _import_own(
    source: Path, config: Path | None, run: str | None, data: Path | None, runs_dir: Path | None
) -> None:
    """A run that this project exported, or one of its checkpoints."""
    from rednd_core.runs import import_archive, import_checkpoint

    store = open_store(runs_dir)
    place = None if data is None else stored_path(data)
    if config is None:
        tell(f"Imported {import_archive(source, store, run, data=place).name}")
        return
    opened = import_checkpoint(source.read_bytes(), config.read_bytes(), store, run, data=place)
    from rednd_core.training.importing import complete_import

    complete_import(opened)
    tell(f"Imported {opened.name}")
