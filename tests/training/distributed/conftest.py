"""Pairs of processes that end with their test, and settings for a quick training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.training.distributed.pair import Pair


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Callable[..., Pair]]:
    """``pair(work, **environment)``; what still runs after the test is killed."""
    started: list[Pair] = []

    def start(work: Callable[[int], object], **environment: str) -> Pair:
        folder = tmp_path / f"pair-{len(started)}"
        folder.mkdir()
        started.append(Pair(folder, work, **environment))
        return started[-1]

    yield start
    for each in started:
        each.end()


@pytest.fixture
def quick_settings() -> tuple[str, ...]:
    values = {"batch_size": 64, "learning_rate": 0.02, "ks": [5, 20], "device": "cpu",
              "engine": "csr", "embedding_size": 8}  # fmt: skip
    return tuple(part for key, value in values.items() for part in ("--set", f"{key}={value}"))
