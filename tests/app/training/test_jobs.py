"""The jobs: their buttons, their order, and how they ended."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app import cached
from rednd_core import jobs
from rednd_core.errors import RunError
from rednd_core.runs import (
    Command,
    RunStore,
    send,
)
from tests.app.training.page import charts, commands, keys, open_page, words


@pytest.mark.parametrize(
    ("run_state", "button", "sent"),
    [
        ("running", "pause", "pause"),
        ("running", "stop", "stop"),
        ("paused", "resume", "resume"),
        ("queued", "stop", "stop"),
    ],
)
def test_buttons_send_their_command(add_run, run_state: str, button: str, sent: str) -> None:
    writer = add_run(state=run_state)
    app = open_page()
    app.button(key=f"watch.{button}.demo").click().run()
    assert [c.command for c in commands(writer)] == [sent]


def test_kill_appears_only_when_a_command_is_not_answered(
    add_run, store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_run()
    killed: list[str] = []
    monkeypatch.setattr(jobs, "kill", lambda run: killed.append(run.name))
    app = open_page()
    assert "watch.kill.demo" not in keys(app)
    send(store.open("demo"), Command(command="stop", sent=1.0))
    app.run()
    app.button(key="watch.kill.demo").click().run()
    assert killed == ["demo"]


def test_a_stopped_run_can_go_on_and_a_refusal_is_a_sentence(
    add_run, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = add_run(state="stopped")
    (writer.layout.checkpoints / "last.json").write_text("{}")

    def refuse(run: Any) -> None:
        raise RunError(expected="calm", found="storm", remedy="wait")

    monkeypatch.setattr(jobs, "resume_training", refuse)
    app = open_page()
    button = app.button(key="watch.continue.demo")
    assert button.label == "Resume training"
    button.click().run()
    assert "Expected calm, but found storm; wait" in words(app).replace("\\", "")


def test_a_training_that_is_resumed_is_watched_at_once(
    add_run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("first", "second"):
        add_run(name, "stopped")
    resumed: list[str] = []
    monkeypatch.setattr(jobs, "resume_training", lambda run: resumed.append(run.name))
    app = open_page(("jobs.over",), job="first")
    app.button(key="list.continue.second").click().run()
    assert resumed == ["second"]
    assert app.selectbox(key="job").value == "second"


def test_several_jobs_are_listed_in_the_order_of_the_queue(add_run) -> None:
    add_run("first")
    add_run("second", "queued", 0)
    add_run("third", "queued", 0)
    app = open_page(job="first")  # it has its buttons beside its charts
    listed = [b.key for b in app.button if b.key and b.key.startswith("list.stop.")]
    assert listed == ["list.stop.second", "list.stop.third"]
    app.button(key="watch.second").click().run()
    assert app.selectbox(key="job").value == "second"
    assert not app.exception


def test_the_watched_run_is_not_listed_among_those_that_are_over(add_run) -> None:
    for name in ("first", "second"):
        add_run(name, "stopped")
    app = open_page(("jobs.over",), job="first")
    assert "watch.continue.first" in keys(app)
    listed = [b.key for b in app.button if b.key and b.key.startswith("list.continue.")]
    assert listed == ["list.continue.second"]


def test_a_failed_run_shows_its_sentence_and_the_end_of_its_log(add_run) -> None:
    writer = add_run(state="failed")
    writer.layout.log.write_text("line one\nthe <b>last</b> words\n")
    app = open_page()
    assert "The training failed" in app.error[0].value
    assert r"So it \*goes\*" in app.error[0].value
    assert app.code[0].value.endswith("the <b>last</b> words")


def test_a_lost_run_says_that_it_was_killed(add_run) -> None:
    writer = add_run()
    status = json.loads(writer.layout.status.read_text())
    status["process"]["started"] = 1.0  # another process has that number by now
    writer.layout.status.write_text(json.dumps(status))
    writer.layout.log.write_text("its last words\n")
    app = open_page()
    assert "killed" in app.warning[0].value
    assert "watch.continue.demo" in keys(app)
    assert words(app).count("its last words") == 1  # in the box, not beside the badge, too
    assert "Epoch 3 of 50" in words(app)


def test_a_lost_run_is_named_while_the_list_is_closed(add_run) -> None:
    add_run("first", "stopped")
    for name in ("second", "third"):
        add_run(name, "failed")
    app = open_page(job="first")
    (over,) = [e.label for e in app.expander if e.label.startswith("Trainings that are over")]
    assert over == "Trainings that are over (2 latest, 2 failed)"


def test_a_queued_run_waits_for_its_turn_and_draws_nothing_yet(add_run) -> None:
    add_run("first", is_job=True)
    writer = add_run("second", "queued", 0, is_job=True)
    app = open_page(job="second")
    assert not charts(app)
    said = words(app)
    assert "**0.001** from the first batch on" in said
    assert "on its way" not in said
    app.select_slider(key="training.weight.second.alignment.0").set_value(0.3).run()
    assert [c.value for c in commands(writer)] == [0.3]
    assert ":orange[**0.3** from the first batch on.]" in words(app)
    writer.status("queued")
    app.run()
    behind = (
        "Queued behind **first**, which is running · Epoch 3 of 50 · 1.00 s each · up to 47 s more"
    )
    assert behind in words(app).replace("\\", "")


def test_a_queue_is_counted_and_a_run_with_nobody_ahead_starts(add_run, monkeypatch) -> None:
    first = add_run("first", "paused", is_job=True)
    add_run("second", "queued", 0, is_job=True)
    add_run("third", "queued", 0, is_job=True)
    assert "Queued behind **first** and 1 more, which" not in words(open_page(job="second"))
    assert "Queued behind **first** and 1 more" in words(open_page(job="third"))
    monkeypatch.setenv("REDND_JOB_SLOTS", "2")
    assert "Starting …" in words(open_page(job="second"))
    monkeypatch.delenv("REDND_JOB_SLOTS")
    first.status("stopped", epoch=3)
    cached.run_entries.clear()
    assert "Starting …" in words(open_page(job="second"))
