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
    assert run["n_steps"] == 17
    assert run["beyond_from"] == 3
    nodes = stage["nodes"]
    assert nodes["n_users"] + nodes["n_items"] + nodes["n_isolated"] == 1600
    mad = run["lines"][0]["sides"]
    assert mad["users"][16] < 0.01 < mad["users"][3]
    assert len(found["payload"]) < 3_000_000
    assert [box.label for box in app.sidebar.selectbox] == [
        "Data set",
        "Run A",
        "Run B",
        "Modality",
    ]


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


PAIR = {"run": "shop-rednnd-a0", "vs": "shop-rednnd-a0.1"}


def test_a_link_replays_two_trainings_in_lockstep() -> None:
    app = open_page(**PAIR, over="epochs", epoch="12", user="17")
    found = sent(app)
    assert found["start"] == {"epoch": 12, "user": "user:17", "method": "pca"}
    stage = json.loads(found["payload"])
    assert stage["axis"]["name"] == "epoch"
    assert stage["axis"]["steps"][:3] == [0, 1, 3]
    assert [run["n_steps"] for run in stage["runs"]] == [len(stage["axis"]["steps"])] * 2
    # One seed: before the training both models are the same, to the last digit.
    first, second = ([line["sides"] for line in run["lines"]] for run in stage["runs"])
    assert [side[0] for line in first for side in line.values()] == [
        side[0] for line in second for side in line.values()
    ]
    assert stage["nodes"]["n_users"] == 995  # no sample: all with a train interaction
    assert len(found["payload"]) < 5_000_000
    assert not app.warning
    assert app.sidebar.slider[0].value == 3
    deep = json.loads(sent(open_page(**PAIR, over="epochs", depth="16"))["payload"])
    assert deep["runs"][0]["collapsed"][-1]
    assert not stage["runs"][0]["collapsed"][-1]


def test_over_depths_and_over_epochs_tell_the_same_of_one_model() -> None:
    """Depth 3 after epoch 41, which is kept in half precision, is near that of the best epoch 53."""
    lines = {}
    for over, step in (("epochs", -1), ("depths", 3)):
        stage = json.loads(sent(open_page(run="shop-rednnd-a0", over=over))["payload"])
        lines[over] = stage["runs"][0]["lines"][0]["sides"]["items"][step]
    assert lines["epochs"] == pytest.approx(lines["depths"], abs=0.02)


def test_a_run_without_snapshots_says_so_and_offers_runs_that_have_some() -> None:
    app = open_page(run="shop-lightgcn", over="epochs")
    (info,) = app.info
    assert "shop-lightgcn** has no snapshots" in info.value.replace("\\", "")
    assert not app.get("bidi_component")
    (button,) = (button for button in app.button if button.label.startswith("Replay"))
    button.click().run()
    assert not app.exception
    names = [run["name"] for run in json.loads(sent(app)["payload"])["runs"]]
    assert sorted(names) == ["shop-rednnd-a0", "shop-rednnd-a0.1"]


def test_what_a_link_to_a_replay_asks_for_in_vain_is_said() -> None:
    app = open_page(run="shop-rednnd-a0", over="epochs", epoch="soon", depth="99")
    (warning,) = app.warning
    told = warning.value.replace("\\", "")
    assert "epoch=soon" in told
    assert "depth=99" in told
    assert sent(app)["start"]["epoch"] == 0


@pytest.mark.parametrize(
    ("chosen", "kept"),
    [
        ({"depth": 7}, {"depth": 7}),
        ({"user": "user:3"}, {"user": "3"}),
        ({"epoch": 41}, {"epoch": 41}),
        ({"epoch": 10**9}, {}),
        ({"epoch": "41"}, {}),
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
