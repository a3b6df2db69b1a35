"""From plain ``{key: value}`` settings to a run's configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rednd_core.config import DataConfig, RunConfig, TrainingConfig, parse_settings
from rednd_core.errors import unknown_name
from rednd_core.models.registry import hyperparameters, model_class


def setting_names(model: str) -> list[str]:
    """What can be set: the model's own hyper-parameters, then the training settings."""
    return [*model_class(model).settings_class.model_fields, *TrainingConfig.model_fields]


def configure(model: str, data: DataConfig, settings: Mapping[str, Any]) -> RunConfig:
    """Sort settings into hyper-parameters and training settings and validate them all.

    Raises:
        ConfigError: a key that is neither, naming the nearest valid one, or an impossible value.
    """
    for key in settings:
        if key not in setting_names(model):
            raise unknown_name(f"setting of {model}", key, setting_names(model))
    own = model_class(model).settings_class.model_fields
    training = {key: value for key, value in settings.items() if key not in own}
    chosen = {key: value for key, value in settings.items() if key in own}
    return RunConfig(
        model=model,
        data=data,
        hyperparameters=hyperparameters(model, chosen).model_dump(mode="json"),
        training=parse_settings(TrainingConfig, training, "training setting"),
    )
