"""An imported checkpoint has parameters only: compute its layers and results from its data set."""

from __future__ import annotations

from rednd_core.atomic import remove_folder
from rednd_core.errors import RedndError
from rednd_core.models.registry import hyperparameters
from rednd_core.runs import Run, RunWriter
from rednd_core.training.experiment import open_checkpoint


def complete_import(run: Run) -> None:
    """Fill in layers, metrics and per-user metrics of an imported checkpoint.

    Where that fails (no such data set, impossible settings, parameters of other shapes) the run is
    removed again, so that an import changes the store completely or not at all.
    """
    try:
        writer = RunWriter(run.path)
        config = writer.record.config
        # Anybody may have written it: no data is read for settings that no model has.
        hyperparameters(config.model, dict(config.hyperparameters))
        open_checkpoint(writer)
        writer.status(
            "imported", message="Imported checkpoint; layers and results were computed here"
        )
    except RedndError:
        remove_folder(run.path)
        raise
