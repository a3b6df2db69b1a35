"""What a stranger is offered by a public app: to look."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app import exposure
from rednd_core.config import PROJECT_ROOT
from rednd_core.errors import ConfigError

DATA_PAGE = str(PROJECT_ROOT / "pages" / "5_Data.py")
TRAINING_PAGE = str(PROJECT_ROOT / "pages" / "4_Training.py")


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv(exposure.PUBLIC, "1")
    return monkeypatch


def labels(app: AppTest) -> set[str]:
    found = (*app.text_input, *app.button, *app.selectbox, *app.get("expander"))
    return {element.label for element in found}


def test_data_has_no_path_and_no_upload(public, tmp_path: Path, planted_folder: Path) -> None:
    public.setenv(exposure.DATA, str(planted_folder.parent))
    app = AppTest.from_file(DATA_PAGE, default_timeout=180)
    app.query_params["dataset"] = "/etc"
    app.run()
    assert not app.exception
    assert "Another folder or file" not in labels(app)
    assert not app.get("file_uploader")
    (box,) = [box for box in app.selectbox if box.label == "Data set"]
    assert "/etc" not in box.options
    assert str(planted_folder.resolve()) in box.options, "a declared folder is offered"
    assert "sample_data/shop" in box.options


def test_a_path_in_the_session_is_not_read(public) -> None:
    """A browser may send any value for a widget."""
    app = AppTest.from_file(DATA_PAGE, default_timeout=180)
    app.session_state["dataset"] = "/etc"
    app.run()
    assert not app.exception
    assert "/etc" not in [box.value for box in app.selectbox]


def test_training_is_off_and_runs_are_only_looked_at(public) -> None:
    app = AppTest.from_file(TRAINING_PAGE, default_timeout=180)
    app.session_state["train.open"] = True
    app.run()
    assert not app.exception
    assert any("cannot be started in this public app" in info.value for info in app.info)
    assert "Start training" not in labels(app)
    assert not [label for label in labels(app) if label.startswith("Manage runs")]


def test_training_can_be_allowed(public) -> None:
    public.setenv(exposure.JOBS, "2")
    app = AppTest.from_file(TRAINING_PAGE, default_timeout=180)
    app.session_state["train.open"] = True
    app.run()
    assert not app.exception
    assert "Start training" in labels(app)
    assert "Another folder or file" not in labels(app)


def test_a_private_app_offers_all_of_it() -> None:
    app = AppTest.from_file(TRAINING_PAGE, default_timeout=180)
    app.session_state["train.open"] = True
    app.run()
    assert {"Start training", "Another folder or file"} <= labels(app)
    assert "Manage runs: delete, export, import" in labels(app)
    assert exposure.may_steer("anybody's")
    exposure.require_turn(["a"] * 99, 10**6)
    exposure.require_offered("/etc", [])


def test_the_queue_is_bounded_in_all_and_for_each_visitor(public) -> None:
    own: list[str] = []
    public.setattr(exposure, "_own", lambda: tuple(own))
    public.setenv(exposure.JOBS, "2")
    exposure.require_turn([], 200)
    exposure.require_turn(["theirs"], 200)
    with pytest.raises(ConfigError, match="at most 2 trainings at a time"):
        exposure.require_turn(["theirs", "others"], 1)
    with pytest.raises(ConfigError, match="at most 200 epochs"):
        exposure.require_turn([], 201)
    own.append("mine")
    with pytest.raises(ConfigError, match="one training a visitor at a time"):
        exposure.require_turn(["mine"], 1)
    exposure.require_turn(["theirs"], 1)
    assert (exposure.may_steer("mine"), exposure.may_steer("theirs")) == (True, False)
