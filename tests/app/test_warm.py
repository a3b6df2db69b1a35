"""What is made ready before a visitor comes is what the pages then ask for."""

from __future__ import annotations

import asyncio
import gc
import weakref
from functools import partial

import pytest
from streamlit.testing.v1 import AppTest

from app import Home, cached, warm
from app.charts.live_charts import LIBRARY, LIBRARY_PATH
from app.data import view as data
from app.explain import view as explain
from app.home import view as home
from app.recommendations import view as recommendations
from app.smoothness import view as smoothness
from rednd_core.config import PROJECT_ROOT
from rednd_core.errors import RunError
from rednd_core.runs import RunStore, default_store
from tests.app.forbid import forbid
from tests.app.sent import figures


@pytest.fixture
def bundled(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The runs that come with the project, in caches of their own."""
    monkeypatch.setattr("app.cached.runs.default_store", default_store)


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
        (explain, "pages/8_Explain.py", ["rednd_core.evaluation.verdicts.gather_evidence"]),
    ],
    ids=["home", "smoothness", "explain"],
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
    recommendations.prepare()
    explain.prepare()


def test_every_page_with_something_to_prepare_is_prepared(monkeypatch) -> None:
    prepared: list[str] = []

    def refuse(name: str) -> None:
        prepared.append(name)
        raise RunError(expected="a run", found="none", remedy="train one")

    pages = {
        "home": home,
        "recommendations": recommendations,
        "smoothness": smoothness,
        "data": data,
        "explain": explain,
    }
    for name, page in pages.items():
        monkeypatch.setattr(page, "prepare", partial(refuse, name))
    monkeypatch.setattr(warm, "VISITOR_SECONDS", 0)
    warm._warm()
    assert prepared == list(pages), "what one page cannot prepare keeps no other from it"


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


class Session:
    """Something that only a collection frees, as it holds itself."""

    def __init__(self) -> None:
        self.itself = self


def test_what_ended_sessions_leave_is_freed_again_and_again() -> None:
    """Streamlit's sessions hold three open files each until they are collected."""
    kept, left = Session(), []

    class Enough(Exception):
        pass

    def wait() -> None:
        assert all(session() is None for session in left), "the round before freed it"
        if len(left) == 3:
            raise Enough
        left.append(weakref.ref(Session()))

    gc.disable()
    try:
        with pytest.raises(Enough):
            warm.tidy(wait)
        assert gc.get_freeze_count() > 10_000, "what is there already is not looked at again"
        assert kept.itself is kept
    finally:
        gc.enable()
        gc.unfreeze()
