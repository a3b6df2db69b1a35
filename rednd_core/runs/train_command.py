"""The command line that trains a run, from its configuration."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from typing import Any

from rednd_core.config import DataConfig
from rednd_core.runs.record import RunRecord

DATA_OPTIONS = {
    "layout": "layout",
    "rating_threshold": "threshold",
    "min_interactions": "min-interactions",
    "sample_users": "sample-users",
    "text_features": "text-features",
}
"""Settings of the data -> options of ``rednd train``."""


def train_command(record: RunRecord) -> str:
    """``rednd train ...`` with every setting spelled out, as defaults may change; quoted for a shell."""
    config, processes = record.config, record.provenance.processes
    begin = ["rednd", "train"]
    if processes > 1:
        begin = ["torchrun", "--nproc-per-node", str(processes), "-m", "rednd_core", "train"]
    settings = {**config.hyperparameters, **config.training.model_dump(mode="json")}
    words = [*begin, "--data", config.data.path, "--model", config.model]
    words += _reading(config.data)
    for key, value in settings.items():
        words += ["--set", f"{key}={_told(value)}"]
    return shlex.join(words)


def _reading(data: DataConfig) -> Iterator[str]:
    """The options that say how the data are read, where they are not the usual ones."""
    told = data.model_dump(mode="json", exclude_defaults=True)
    if "split" in told:
        yield from ("--split", data.split)
    if data.split in ("random", "global_time"):
        yield from ("--ratios", ",".join(str(ratio) for ratio in data.ratios))
    if "split_seed" in told:
        yield from ("--split-seed", str(data.split_seed))
    for role, name in (told.get("columns") or {}).items():
        yield from ("--column", f"{role}={name}")
    for setting, option in DATA_OPTIONS.items():
        if setting in told:
            yield from (f"--{option}", str(told[setting]))


def _told(value: Any) -> str:
    """A value so that ``--set`` reads the same: plain text where that is no JSON, else JSON."""
    if not isinstance(value, str):
        return json.dumps(value, separators=(",", ":"))
    try:
        json.loads(value)
    except ValueError:
        return value
    return json.dumps(value)
