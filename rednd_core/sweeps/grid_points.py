"""The points of a sweep or study: which settings vary, and how a point's run is named."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, JsonValue

from rednd_core.config import DataConfig, RunConfig, StrictModel
from rednd_core.errors import ConfigError, unknown_name
from rednd_core.modeling.defaults import configure, setting_names
from rednd_core.runs.layout import RUN_NAME, check_run_name

FIXED = {
    "seed": "runs that differ by their seed belong to a study: rednd study --seeds",
    "select_by": "points are compared by it",
    "ks": "points are compared by them",
}
"""Settings that no axis may vary, and why."""

MAX_NAME = 100
Settings = dict[str, JsonValue]


class Axis(StrictModel):
    """One setting and the values that it takes, in their order."""

    key: str
    values: Annotated[tuple[JsonValue, ...], Field(min_length=1)]


@dataclass(frozen=True)
class Point:
    """One run to be trained.

    Attributes:
        run: its name; settings: what tells it from the others, as validated.
    """

    run: str
    config: RunConfig
    settings: Settings


def check_axes(axes: Sequence[Axis], models: Sequence[str], settings: Iterable[str]) -> None:
    """Refuse settings that no model has, that may not vary, or that are given twice.

    Args:
        settings: the keys that are the same for all points.
    """
    taken = {*settings}
    for axis in axes:
        valid = dict.fromkeys(name for model in models for name in setting_names(model))
        if axis.key not in valid:
            raise unknown_name(f"setting of {' or '.join(models)}", axis.key, valid)
        if axis.key in FIXED:
            raise ConfigError(
                expected="settings to vary",
                found=axis.key,
                remedy=f"leave it out, as {FIXED[axis.key]}",
            )
        if axis.key in taken:
            raise ConfigError(
                expected="every setting once", found=f"{axis.key} twice", remedy="remove one"
            )
        taken.add(axis.key)


def combinations(axes: Sequence[Axis]) -> Iterator[Settings]:
    """All combinations; the last axis varies fastest. Without axes, the empty one."""
    for values in itertools.product(*(axis.values for axis in axes)):
        yield {axis.key: value for axis, value in zip(axes, values, strict=True)}


def make_point(
    prefix: str, model: str, data: DataConfig, settings: Settings, varied: Settings
) -> Point:
    """The point with ``varied`` on top of the common ``settings``; both are validated."""
    config = configure(model, data, settings | varied)
    known: dict[str, Any] = config.training.model_dump(mode="json") | config.hyperparameters
    settled = {key: known[key] for key in varied}
    return Point(run_name(prefix, settled), config, settled)


def distinct(points: Sequence[Point]) -> tuple[Point, ...]:
    """``points``, or a ConfigError where two of them are the same."""
    seen: dict[str, Point] = {}
    for point in points:
        if point.run in seen:
            raise ConfigError(
                expected="values that differ",
                found=f"{describe(point.settings)} twice",
                remedy="remove one of them",
            )
        seen[point.run] = point
    return tuple(points)


def run_name(prefix: str, varied: Settings) -> str:
    """For example ``lightgcn-baby-3fa2-n_layers_2``; ends in a digest if that is no valid name."""
    texts = {key: _text(value) for key, value in varied.items()}
    name = "-".join([prefix, *(f"{key}_{text}" for key, text in texts.items())])
    if all(texts.values()) and len(name) <= MAX_NAME and RUN_NAME.fullmatch(name):
        return name
    digest = short_digest([prefix, varied], 10)
    readable = re.sub(r"[^A-Za-z0-9._-]+", "_", name)[: MAX_NAME - len(digest) - 1]
    return check_run_name(f"{readable}-{digest}")


def describe(settings: Settings) -> str:
    """``knn_k 5, reg_weight 0.001``."""
    return ", ".join(f"{key} {_shown(value)}" for key, value in settings.items())


def short_digest(value: object, length: int) -> str:
    """The first hexadecimal digits of a hash of plain data; key order does not count."""
    content = json.dumps(value, sort_keys=True, ensure_ascii=False).encode()
    return hashlib.sha256(content).hexdigest()[:length]


def _shown(value: JsonValue) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _text(value: JsonValue) -> str:
    """A number, a truth value or a plain word; empty for a value that a name cannot hold."""
    text = _shown(value)
    return text if re.fullmatch(r"[A-Za-z0-9.-]+", text) else ""
