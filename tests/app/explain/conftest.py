"""The page Explain on the bundled runs, and on the planted runs of the Recommendations page."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from app.sitemap import page_file
from rednd_core.runs import RunStore, default_store
from tests.app.recommendations.conftest import dataset, planted, runs, shop
from tests.app.recommendations.page import settled

__all__ = ["dataset", "planted", "runs", "shop"]


def opened(run: str, query: dict[str, str]) -> AppTest:
    app = AppTest.from_file(page_file("explain"), default_timeout=180)
    for key, value in {"run": run, **query}.items():
        app.query_params[key] = value
    return settled(app.run())


@pytest.fixture
def page(runs: RunStore) -> Callable[..., AppTest]:
    """``page(part="Slices", ...)``: the page of the planted run "red" with these query parameters."""
    return lambda run="red", **query: opened(run, query)


@pytest.fixture
def bundled(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """``bundled(part="Slices", ...)``: the page of a bundled run of the sample shop."""
    monkeypatch.setattr("app.cached.runs.default_store", default_store)
    return lambda run="shop-rednnd-a0.1", **query: opened(run, query)
