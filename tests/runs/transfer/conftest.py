"""An exported run, and a store to bring it into."""

from __future__ import annotations

from pathlib import Path

import pytest

from rednd_core.runs import Run, RunStore, export

pytest.register_assert_rewrite("tests.runs.transfer.archives")


@pytest.fixture
def zipped(finished: Run, tmp_path: Path) -> bytes:
    return export(finished, tmp_path / "done.zip").read_bytes()


@pytest.fixture
def target(tmp_path: Path) -> RunStore:
    """A store with one run already in it."""
    store = RunStore(tmp_path / "target")
    store.root.mkdir()
    return store
