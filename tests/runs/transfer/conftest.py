"""A store to bring runs into."""

from __future__ import annotations

from pathlib import Path

import pytest

from rednd_core.runs import RunStore

pytest.register_assert_rewrite("tests.runs.transfer.archives")


@pytest.fixture
def target(tmp_path: Path) -> RunStore:
    """A store with one run already in it."""
    store = RunStore(tmp_path / "target")
    store.root.mkdir()
    return store
