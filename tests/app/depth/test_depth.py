"""The page Depth on the bundled runs: what it sends to the browser, and what it takes from there."""

from __future__ import annotations

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.depth import view
from rednd_core.config import PROJECT_ROOT

PAGE = str(PROJECT_ROOT / "pages" / "6_Depth.py")
BUNDLED = PROJECT_ROOT / "sample_data" / "shop" / "runs"


@pytest.fixture(autouse=True)
def bundled(show_store, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("REDND_CACHE", str(tmp_path / "cache"))
    show_store(BUNDLED)


def open_page(**query: str) -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=180)
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception
    return app


def sent(app: AppTest) -> dict[str, Any]:
    (component,) = app.get("bidi_component")
    return json.loads(component.proto.json)


def test_the_stage_opens_at_the_depth_of_the_model_with_one_run() -> None:
    app = open_page()
    found = sent(app)
    stage = json.loads(found["payload"])
    assert found["start"] == {"depth": 3, "user": "", "method": "pca"}
    (run,) = stage["runs"]
    assert run["n_depths"] == 17
    assert run["trained_depth"] == 3
    nodes = stage["nodes"]
    assert nodes["n_users"] + nodes["n_items"] + nodes["n_isolated"] == 1600
    mad = run["lines"][0]["sides"]
    assert mad["users"][16] < 0.01 < mad["users"][3]
    assert len(found["payload"]) < 3_000_000
    assert [box.label for box in app.sidebar.selectbox] == ["Run A", "Run B", "Modality"]


def test_a_link_brings_both_runs_the_depth_and_the_user() -> None:
    app = open_page(run="shop-rednnd-a0", vs="shop-rednnd-a0.1", depth="12", user="17")
    found = sent(app)
    assert found["start"]["depth"] == 12
    assert found["start"]["user"] == "user:17"
    stage = json.loads(found["payload"])
    assert [run["name"] for run in stage["runs"]] == ["shop-rednnd-a0", "shop-rednnd-a0.1"]
    assert "movers" in stage
    assert not app.warning


def test_what_a_link_asks_for_in_vain_is_said() -> None:
    app = open_page(depth="99", vectors="nonsense", user="nobody")
    (warning,) = app.warning
    told = warning.value.replace("\\", "")
    assert "depth=99" in told
    assert "vectors=nonsense" in told
    assert "user=nobody" in told
    assert sent(app)["start"] == {"depth": 3, "user": "", "method": "pca"}


def test_the_mean_of_the_layers_hides_the_collapse_of_the_last() -> None:
    by_view = {}
    for vectors, name in view.VIEWS.items():
        stage = json.loads(sent(open_page(run="shop-lightgcn", vectors=vectors))["payload"])
        by_view[name] = stage["runs"][0]["lines"][0]["sides"]["users"][16]
    assert by_view["layer"] < 0.01
    assert by_view["readout"] > 0.1


@pytest.mark.parametrize(
    ("chosen", "kept"),
    [
        ({"depth": 7}, {"depth": 7}),
        ({"user": "user:3"}, {"user": "3"}),
        ({"depth": -1}, {}),
        ({"depth": True}, {}),
        ({"depth": "4"}, {}),
        ({"user": ["user:3"]}, {}),
        ("depth", {}),
        (None, {}),
    ],
)
def test_what_the_browser_says_is_checked(chosen, kept, monkeypatch) -> None:
    state: dict[str, Any] = {}
    monkeypatch.setattr("app.depth.view.st.session_state", state)
    view._take(chosen)
    assert state == kept


def test_without_a_run_the_page_says_what_to_do(show_store, tmp_path) -> None:
    show_store(tmp_path / "empty")
    app = open_page()
    assert "Live training" in app.info[0].value
    assert not app.get("bidi_component")
