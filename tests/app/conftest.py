"""A store of runs and caches of a page's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st

from rednd_core.runs import RunStore


@pytest.fixture
def show_store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], RunStore]]:
    """``show_store(root)``: the runs there, and nothing else, as the app's store, with empty caches."""

    def shown(root: Path) -> RunStore:
        monkeypatch.setattr("app.cached.runs.default_store", lambda: RunStore(root))
        clear()
        return RunStore(root)

    def clear() -> None:
        st.cache_data.clear()
        st.cache_resource.clear()

    yield shown
    clear()


@pytest.fixture
def store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, show_store: Callable[[Path], RunStore]
) -> RunStore:
    """An empty store without the bundled runs, with caches of its own."""
    monkeypatch.setenv("REDND_CACHE", str(tmp_path / "cache"))
    return show_store(tmp_path / "runs")
