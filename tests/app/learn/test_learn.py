"""The page Learn on the bundled runs: the contents, a lesson, links to a step, and what the browser says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.learn import view
from rednd_core.config import PROJECT_ROOT
from rednd_core.lessons.catalogue import CONTENTS, NUMBERS
from rednd_core.lessons.world import WORLDS
from tests.app.forbid import forbid

PAGE = str(PROJECT_ROOT / "pages" / "7_Learn.py")


@pytest.fixture(autouse=True)
def caches(store) -> None:
    """Caches of their own; the lessons need no run of the store."""


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


def test_the_contents_lead_to_every_lesson() -> None:
    app = open_page()
    assert [button.label for button in app.button] == [
        f"**{number}. {entry.title}**" for number, entry in zip(NUMBERS, CONTENTS, strict=True)
    ]
    assert not app.get("bidi_component")
    app.button(key="open-5").click().run()
    assert json.loads(sent(app)["payload"])["lesson"]["number"] == 5
    assert app.query_params["lesson"] == "5"


def test_a_link_opens_a_step_in_the_type_of_a_hall() -> None:
    app = open_page(lesson="3", step="zigzag", present="1")
    found = sent(app)
    assert found["step"] == "zigzag"
    assert found["presenting"] is True
    payload = json.loads(found["payload"])
    assert payload["lesson"]["number"] == 3
    assert (payload["previous"], payload["next"]) == (2, 4)
    assert set(payload["ways"]) >= {"depth", "smoothness", "training"}
    assert not app.warning
    assert not app.button


def test_what_a_link_asks_for_in_vain_is_said() -> None:
    app = open_page(lesson="12", world="opera")
    (warning,) = app.warning
    told = warning.value.replace("\\", "")
    assert "lesson=12" in told
    assert "world=opera" in told
    assert app.button(key="open-1")


def test_an_unknown_step_opens_the_first() -> None:
    assert sent(open_page(lesson="3", step="nonsense"))["step"] == ""


@pytest.mark.parametrize("world", WORLDS)
def test_every_lesson_opens_in_every_world(world: str) -> None:
    for number in NUMBERS:
        payload = json.loads(sent(open_page(lesson=str(number), world=world))["payload"])
        assert all(
            claim["holds"] for step in payload["lesson"]["steps"] for claim in step["claims"]
        )


def test_what_was_prepared_is_not_computed_again(monkeypatch) -> None:
    view.prepare()
    forbid(monkeypatch, "rednd_core.lessons.catalogue.lesson")
    assert sent(open_page(lesson="4"))["payload"]


@pytest.mark.parametrize(
    ("chosen", "kept"),
    [
        ({"lesson": 4}, {"lesson": 4}),
        ({"lesson": 11}, {"step": "a"}),
        ({"lesson": True}, {"step": "a"}),
        ({"step": "b"}, {"step": "b"}),
        ({"step": 3}, {"step": "a"}),
        ({"presenting": True}, {"step": "a", "present": True}),
        ({"presenting": 1}, {"step": "a"}),
        ("step", {"step": "a"}),
        (None, {"step": "a"}),
    ],
)
def test_what_the_browser_says_is_checked(chosen, kept, monkeypatch) -> None:
    state: dict[str, Any] = {"step": "a"}
    monkeypatch.setattr("app.learn.view.st.session_state", state)
    monkeypatch.setattr("app.learn.view.state.to_address", lambda *_: None)
    view._take(chosen)
    assert state == kept
