"""What a run may be continued with: its end, and the machine that trains it. All else is what it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rednd_core import atomic
from rednd_core.config import TrainingConfig, parse_settings
from rednd_core.errors import ConfigError
from rednd_core.runs.run import Run
from rednd_core.runs.writer import RunWriter

CHANGEABLE = ("epochs", "patience", "device", "engine")


def continued_training(run: Run, settings: Mapping[str, Any]) -> TrainingConfig:
    """The training settings of ``run`` with some of them changed for its continuation.

    Raises:
        ConfigError: another setting than :data:`CHANGEABLE`, an impossible value, or an end that is past.
    """
    others = [name for name in settings if name not in CHANGEABLE]
    if others:
        raise ConfigError(
            expected=f"one of {', '.join(CHANGEABLE)} with --resume, as a run keeps its other settings",
            found=others[0],
            remedy="leave it out, or start a new run with it",
        )
    known = run.config.training.model_dump(exclude_defaults=True)
    changed = parse_settings(TrainingConfig, {**known, **settings}, "training setting")
    done = run.status.epoch
    if "epochs" in settings and changed.epochs <= done:
        raise ConfigError(
            expected=f"more than the {done} epochs that the run has",
            found=f"epochs={changed.epochs}",
            remedy="raise epochs",
        )
    return changed


def change_training(writer: RunWriter, training: TrainingConfig) -> None:
    """Record the settings with which the run of ``writer`` goes on."""
    config = writer.record.config.model_copy(update={"training": training})
    writer.record = writer.record.model_copy(update={"config": config})
    atomic.write_json(writer.layout.config, writer.record)
