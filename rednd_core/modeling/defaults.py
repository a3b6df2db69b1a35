"""Settings of a new run: whose default each one is, and how chosen values become a configuration.

Three may say what a setting is before a user does: the project, the model (its card), and the data set (the
file ``recommended.toml`` in its folder). The later one in this order counts.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rednd_core.config import (
    DataConfig,
    RunConfig,
    TrainingConfig,
    parse_settings,
    resolve_data_path,
)
from rednd_core.errors import ConfigError, DataError, unknown_name
from rednd_core.modeling.registry import card, hyperparameters, model_class

RECOMMENDED = "recommended.toml"
ALL = "all"
"""The table of ``recommended.toml`` whose settings count for every model that has them."""
LARGEST_FILE = 64 * 1024

Owner = Literal["project", "model", "data set"]


@dataclass(frozen=True)
class Default:
    """What a setting is where nobody chose a value, and who says so."""

    value: Any
    owner: Owner


def setting_names(model: str) -> list[str]:
    """What can be set: the model's own hyper-parameters, then the training settings."""
    return [*model_class(model).settings_class.model_fields, *TrainingConfig.model_fields]


def defaults(model: str, data: str | None = None) -> dict[str, Default]:
    """Setting -> its default for a model on the data set at the path ``data``.

    Raises:
        ConfigError: no such model, or a ``recommended.toml`` that cannot be read.
    """
    fields = model_class(model).settings_class.model_fields | TrainingConfig.model_fields
    found = {
        name: Default(field.get_default(call_default_factory=True), "project")
        for name, field in fields.items()
    }
    found |= {name: Default(value, "model") for name, value in card(model).training.items()}
    recommended = _recommended(data) if data else {}
    common = {name: value for name, value in recommended.get(ALL, {}).items() if name in fields}
    own = recommended.get(model, {})
    for name in own:
        if name not in fields:
            raise unknown_name(f"setting of {model} in {RECOMMENDED}", name, fields)
    return found | {name: Default(value, "data set") for name, value in (common | own).items()}


def configure(model: str, data: DataConfig, settings: Mapping[str, Any]) -> RunConfig:
    """A run's configuration: ``settings`` over the defaults, all of them validated.

    Raises:
        ConfigError: a key that is no setting, naming the nearest valid one, or an impossible value.
    """
    for key in settings:
        if key not in setting_names(model):
            raise unknown_name(f"setting of {model}", key, setting_names(model))
    chosen = {
        name: default.value
        for name, default in defaults(model, data.path).items()
        if default.owner != "project"
    } | dict(settings)
    own = model_class(model).settings_class.model_fields
    training = {key: value for key, value in chosen.items() if key not in own}
    hyper = {key: value for key, value in chosen.items() if key in own}
    return RunConfig(
        model=model,
        data=data,
        hyperparameters=hyperparameters(model, hyper).model_dump(mode="json"),
        training=parse_settings(TrainingConfig, training, "training setting"),
    )


def _recommended(data: str) -> dict[str, dict[str, Any]]:
    """Model, or ``all`` -> settings, of the file in the folder ``data``; empty where there is none."""
    try:
        path = resolve_data_path(data) / RECOMMENDED
        if not path.is_file():
            return {}
        tables = _parse(path)
    except DataError:  # no path at all: whoever reads the data says so
        return {}
    except (OSError, ValueError) as error:
        raise _unreadable(path, str(error)) from None
    if not all(isinstance(table, dict) for table in tables.values()):
        raise _unreadable(path, "settings outside of a table")
    return tables


def _parse(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        content = file.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise ValueError(f"more than {LARGEST_FILE:,} bytes")
    return tomllib.loads(content.decode("utf-8"))


def _unreadable(path: Path, found: str) -> ConfigError:
    return ConfigError(
        expected=f"TOML with one table of settings a model in {path.parent.name}/{path.name}",
        found=found[:200],
        remedy="correct the file or remove it",
    )
