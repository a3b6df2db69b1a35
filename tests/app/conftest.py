"""A store of runs and caches of a page's own, and what a run records about its data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st

from rednd_core.data.schema import Dataset
from rednd_core.runs import DataFacts, RunStore


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunStore:
    """An empty store without the bundled runs, with caches of its own."""
    own = RunStore(tmp_path / "runs")
    monkeypatch.setattr("app.cached.runs.default_store", lambda: own)
    monkeypatch.setattr("app.cached.maps.CACHE_DIR", tmp_path / "cache")
    st.cache_data.clear()
    st.cache_resource.clear()
    return own


@pytest.fixture(scope="session")
def facts_of() -> Callable[[Dataset], DataFacts]:
    """``facts_of(dataset)``: what a run on it records."""

    def facts(dataset: Dataset) -> DataFacts:
        return DataFacts(
            name=dataset.name,
            digest=dataset.digest,
            n_users=dataset.n_users,
            n_items=dataset.n_items,
            n_train=len(dataset.train),
            n_valid=len(dataset.valid),
            n_test=len(dataset.test),
        )

    return facts
