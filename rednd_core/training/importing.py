"""An imported checkpoint has parameters only: compute its layers and results from its data set."""

from __future__ import annotations

from pathlib import Path

import psutil

from rednd_core import confined
from rednd_core.atomic import remove_folder
from rednd_core.config import resolve_data_path
from rednd_core.errors import CheckpointError
from rednd_core.runs import Run, RunWriter

SECONDS = 1800.0
MEMORY_SHARE = 0.8
"""Of the memory that is free now."""


def complete_import(run: Run) -> None:
    """Fill in layers, metrics and per-user metrics of an imported checkpoint.

    Where that fails (no such data set, impossible settings, parameters of other shapes, more time or memory
    than there is) the run is removed again, so that an import changes the store completely or not at all.
    """
    try:
        _require_data(run)
        confined.run(
            f"{__name__}:compute",
            str(run.path),
            what="the checkpoint's run",
            seconds=SECONDS,
            memory_bytes=int(MEMORY_SHARE * psutil.virtual_memory().available),
        )
    except BaseException:
        remove_folder(run.path)
        raise


def _require_data(run: Run) -> None:
    record = run.record
    if resolve_data_path(record.config.data.path).exists():
        return
    named = record.data.name if record.data else "the checkpoint's data set"
    raise CheckpointError(
        expected=f"the data set {named} on this machine, to compute the run's layers and results",
        found="that no run here was trained on it",
        remedy="say where it lies: rednd runs import --data PATH",
    )


def compute(run_dir: str) -> None:
    """Compute layers and results of the run in ``run_dir``; runs in a confined process."""
    from rednd_core.modeling.registry import hyperparameters
    from rednd_core.training.experiment import open_checkpoint

    writer = RunWriter(Path(run_dir))
    config = writer.record.config
    # Anybody may have written the checkpoint: settings are checked before any data is read.
    hyperparameters(config.model, dict(config.hyperparameters))
    open_checkpoint(writer)
    writer.status("imported", message="Imported checkpoint; layers and results were computed here")
