"""Models by name. A new model costs one file in this package, where it is found, and a line in ``titles``."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import Any

import rednd_core.models
from rednd_core.config import parse_settings
from rednd_core.errors import unknown_name
from rednd_core.models.base import Hyperparameters, ModelInputs, Recommender


@cache
def _models() -> dict[str, type[Recommender]]:
    for module in pkgutil.iter_modules(rednd_core.models.__path__):
        importlib.import_module(f"{rednd_core.models.__name__}.{module.name}")
    found: dict[str, type[Recommender]] = {}
    pending = [Recommender]
    while pending:
        for cls in pending.pop().__subclasses__():
            pending.append(cls)
            if "name" in vars(cls) and cls.__module__.startswith(rednd_core.models.__name__):
                found[cls.name] = cls
    return dict(sorted(found.items()))


def model_names() -> list[str]:
    """The registered names, sorted."""
    return list(_models())


def model_class(name: str) -> type[Recommender]:
    """The class of a model.

    Raises:
        ConfigError: no such model; lists the valid names.
    """
    models = _models()
    if name not in models:
        raise unknown_name("model", name, models)
    return models[name]


def hyperparameters(name: str, values: dict[str, Any]) -> Hyperparameters:
    """Validate settings with the model's own class; unknown or impossible ones raise ConfigError."""
    cls = model_class(name)
    return parse_settings(cls.settings_class, values, f"hyper-parameter of {name}")


def create_model(name: str, values: dict[str, Any], inputs: ModelInputs) -> Recommender:
    """Build a model from validated settings and move it to the inputs' device."""
    settings = hyperparameters(name, values)
    model: Recommender = model_class(name)(inputs, settings)  # type: ignore[call-arg]
    return model.to(inputs.device)
