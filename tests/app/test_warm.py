"""What is made ready before a visitor comes is what the pages then ask for."""

from __future__ import annotations

import asyncio

import pytest
from streamlit.testing.v1 import AppTest

from app import Home, cached
from app.components.live_charts import LIBRARY, LIBRARY_PATH
from app.views import home, smoothness
from rednd_core.config import PROJECT_ROOT
from rednd_core.runs import RunStore, default_store
from tests.app.sent import figures


@pytest.fixture
def bundled(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The runs that come with the project, in caches of their own."""
    monkeypatch.setattr("app.cached.runs.default_store", default_store)


def forbid(monkeypatch: pytest.MonkeyPatch, *places: str) -> None:
    def called(*args: object, **kwargs: object) -> None:
        pytest.fail("computed again")

    for place in places:
        monkeypatch.setattr(place, called)


@pytest.mark.usefixtures("bundled")
@pytest.mark.parametrize(
    ("page", "script", "slow"),
    [
        (
            home,
            "app/main.py",
            ["rednd_core.projection.project", "rednd_core.smoothness.measure_layers"],
        ),
        (
            smoothness,
            "pages/2_Smoothness.py",
            ["rednd_core.smoothness.measure_layers", "rednd_core.evaluation.evaluate.evaluate"],
        ),
    ],
    ids=["home", "smoothness"],
)
def test_the_default_view_finds_all_that_was_prepared(page, script, slow, monkeypatch) -> None:
    page.prepare()
    forbid(monkeypatch, *slow)
    app = AppTest.from_file(str(PROJECT_ROOT / script), default_timeout=180).run()
    assert not app.exception
    assert figures(app)


def test_an_empty_store_needs_nothing(store: RunStore, monkeypatch) -> None:
    forbid(monkeypatch, "rednd_core.projection.project", "rednd_core.smoothness.measure_layers")
    home.prepare()
    smoothness.prepare()


def test_the_server_has_the_library_of_the_charts() -> None:
    answer = asyncio.run(Home.plotly_library(None))
    assert answer.path == LIBRARY
    assert LIBRARY.stat().st_size > 1_000_000
    assert Home.app.script_path == PROJECT_ROOT / "app" / "main.py"
    assert LIBRARY_PATH in {route.path.lstrip("/") for route in Home.app._user_routes}


def test_the_compiler_of_umap_is_started_once(monkeypatch) -> None:
    started: list[str] = []
    monkeypatch.setattr("rednd_core.projection.prewarm", lambda: started.append("now"))
    cached.compile_umap.cache_clear()
    threads = {cached.compile_umap() for _ in range(3)}
    (thread,) = threads
    thread.join(timeout=10)
    assert started == ["now"]
    cached.compile_umap.cache_clear()
