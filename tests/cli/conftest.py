"""The command line in this process, and one finished run to look at."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rednd_core.cli import main
from rednd_core.runs import RunStore


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The last line of standard output."""
        return json.loads(self.out.splitlines()[-1])


@pytest.fixture
def rednd(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path):
    """``rednd("train", "--data", path)``: what the console script does, through ``main``."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("REDND_CACHE", str(tmp_path / "cache"))

    def run(*args: object) -> Result:
        monkeypatch.setattr(sys, "argv", ["rednd", *map(str, args)])
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as ending:
            code = ending.code if isinstance(ending.code, int) else 0 if ending.code is None else 1
        return Result(code, *capsys.readouterr())

    return run


VALUES = {
    "epochs": 3,
    "batch_size": 64,
    "learning_rate": 0.02,
    "embedding_size": 8,
    "ks": [5, 20],
    "device": "cpu",
    "engine": "csr",  # spares the import of DGL
}


def quick_settings(**others: object) -> tuple[str, ...]:
    """``--set key=value`` of a short training, some of them replaced or added."""
    settings = VALUES | others
    return tuple(part for key, value in settings.items() for part in ("--set", f"{key}={value}"))


QUICK = quick_settings()


@pytest.fixture
def quick() -> tuple[str, ...]:
    return QUICK


@pytest.fixture
def quick_but() -> Callable[..., tuple[str, ...]]:
    """``quick_but(epochs=60)``: the same with other values."""
    return quick_settings


@pytest.fixture
def trained(rednd, planted_folder: Path, tmp_path: Path) -> RunStore:
    """A store with the finished LightGCN run ``done``."""
    result = rednd(
        "train", "--data", planted_folder, "--model", "lightgcn", "--run", "done", *QUICK
    )
    assert result.code == 0, result.err
    return RunStore(tmp_path / "runs")
