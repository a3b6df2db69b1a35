"""The slider of a weight: it stands where the weight does, and tells truly who moved it."""

from __future__ import annotations

import json
from typing import Annotated, Any

import pytest
from pydantic import Field
from pydantic.fields import FieldInfo
from streamlit.testing.v1 import AppTest

from app.training import weights
from app.training.fields import WEIGHTS, weight_options
from app.training.weights import Drawn, moved_to
from rednd_core.runs import Command, ControlReader, RunWriter, send
from rednd_core.runs.run import Run
from tests.app.training.page import commands, figures, open_page, words

KEY = "training.weight.demo.alignment"
OTHER = "f" * 32  # the ticket of another window


def slider(app: AppTest) -> Any:
    """The one slider of the weight; a slider that has to stand elsewhere is replaced by a new one."""
    (found,) = [each for each in app.select_slider if each.key.startswith(KEY)]
    return found


def answer(writer: RunWriter, event: str = "set_weight", **details: Any) -> None:
    """Take the waiting commands as a trainer does; tell of the last one."""
    *_, command = ControlReader(writer.path).poll()
    own = {"loss": command.loss, "value": command.value, "ticket": command.ticket}
    writer.append_event(event, epoch=3, **own, **details)


def test_a_move_is_sent_once_and_its_answer_is_the_readers_own(add_run) -> None:
    writer = add_run()
    app = open_page()
    assert slider(app).value == 0.001
    slider(app).set_value(0.3).run()
    (command,) = commands(writer)
    assert (command.command, command.loss, command.value) == ("set_weight", "alignment", 0.3)
    assert "**0.3** is sent and waits for the next batch" in words(app)
    app.run()
    assert len(commands(writer)) == 1
    answer(writer)
    app.run()
    assert "**0.3** was applied in epoch **4**, " in words(app)
    assert "s after you moved it" in words(app)
    assert commands(writer) == []
    assert slider(app).value == 0.3


def test_a_slider_that_outlives_its_run_sends_nothing(add_run) -> None:
    writer = add_run()
    app = open_page()
    slider(app).set_value(0.3)
    writer.status("stopped", epoch=3)
    app.run()
    assert not app.exception
    assert not app.error
    assert commands(writer) == []


def test_two_windows_show_one_weight_and_each_knows_its_own_move(add_run) -> None:
    writer = add_run()
    here, there = open_page(), open_page()
    slider(there).set_value(0.1).run()
    here.run()
    assert slider(here).value == 0.1
    assert "**0.1** is sent from another window and waits" in words(here)
    answer(writer)
    here.run()
    there.run()
    assert slider(here).value == slider(there).value == 0.1
    assert "**0.1** was applied in epoch **4**; it was moved in another window" in words(here)
    assert "s after you moved it" in words(there)
    slider(here).set_value(0.03).run()
    answer(writer)
    here.run()
    there.run()
    assert slider(there).value == 0.03
    assert "**0.03** was applied in epoch **4**, " in words(here)
    assert "it was moved in another window" in words(there)
    assert commands(writer) == []


def test_what_a_browser_that_is_behind_sends_is_no_move(add_run) -> None:
    writer = add_run()
    app = open_page()
    behind = slider(app)
    writer.append_event("set_weight", epoch=3, loss="alignment", value=0.1, ticket=OTHER)
    app.run()
    behind.set_value(0.001).run()  # where the slider stood when the browser sent its next request
    assert commands(writer) == []
    assert slider(app).value == 0.1


def test_one_key_press_is_a_step_from_what_is_in_force(add_run) -> None:
    writer = add_run(alignment_weight=1.0)
    app = open_page()
    writer.append_event("set_weight", epoch=3, loss="alignment", value=0.01, ticket=OTHER)
    slider(app).set_value(0.3)  # one step below 1, which the slider still shows
    app.run()
    assert [c.value for c in commands(writer)] == [0.003]
    assert slider(app).value == 0.003


@pytest.mark.parametrize(
    ("value", "drawn", "now", "wanted"),
    [
        (0.3, 1.0, 1.0, 0.3),
        (0.3, 1.0, 0.01, 0.003),
        (1.0, 0.3, 0.01, 0.03),
        (0.1, 1.0, 0.01, 0.1),  # two steps name their goal
        (0.0, 1e-4, 0.0, 0.0),  # and there is nothing below the least weight
        (0.3, 1.0, 0.05, 0.03),  # a weight between two others has them as neighbours
    ],
)
def test_a_step_is_relative_and_a_longer_move_names_its_goal(value, drawn, now, wanted) -> None:
    options = sorted({*WEIGHTS, now})
    assert moved_to(value, Drawn(0, drawn, WEIGHTS), options, now) == wanted


def test_a_weight_off_the_scale_is_shown_as_it_is(add_run) -> None:
    writer = add_run()
    app = open_page()
    writer.append_event("set_weight", epoch=3, loss="alignment", value=0.0457, ticket=OTHER)
    app.run()
    assert slider(app).value == 0.0457
    slider(app).set_value(0.1).run()
    assert [c.value for c in commands(writer)] == [0.1]


def test_a_command_that_the_trainer_has_just_taken_is_still_on_its_way(
    add_run, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = add_run()
    app = open_page()
    slider(app).set_value(0.3).run()
    ControlReader(writer.path).poll()
    app.run()
    assert slider(app).value == 0.3
    assert "**0.3** is sent and waits" in words(app)
    monkeypatch.setattr(weights, "ON_ITS_WAY_SECONDS", -1.0)  # whoever took the command is gone
    app.run()
    assert slider(app).value == 0.001
    assert "waits" not in words(app)


def test_a_refused_weight_says_why_and_the_slider_goes_back(add_run) -> None:
    writer = add_run()
    app = open_page()
    slider(app).set_value(1.0).run()
    answer(writer, "refused", message="No such *loss*")
    app.run()
    assert r"No such \*loss\*" in words(app)
    assert "alignment to 1 was refused" in words(app)
    assert "**0.001** is still in force" in words(app)
    assert slider(app).value == 0.001
    writer.append_event("set_weight", epoch=3, loss="alignment", value=0.3)
    app.run()
    assert "refused" not in words(app)


def test_a_resume_shows_the_weight_of_its_checkpoint(add_run) -> None:
    writer = add_run()
    writer.append_event("set_weight", epoch=1, loss="alignment", value=0.3, ticket=OTHER)
    writer.append_event("continued", epoch=3, batch=0, weights={"bpr": 1.0, "alignment": 0.03})
    app = open_page()
    assert slider(app).value == 0.03
    assert "moved it" not in words(app)


def test_who_moved_a_weight_before_the_page_was_loaded_is_not_guessed(add_run) -> None:
    writer = add_run()
    writer.append_event("set_weight", epoch=2, loss="alignment", value=0.1, ticket=OTHER)
    said = words(open_page())
    assert "**0.1** was applied in epoch **3**." in said
    assert "window" not in said
    assert "you" not in said.split("was applied")[1].split("]")[0]


def test_an_older_command_of_this_window_is_no_answer_to_its_newer_one(add_run) -> None:
    writer = add_run()
    app = open_page()
    slider(app).set_value(0.1).run()
    answer(writer)
    slider(app).set_value(0.3).run()
    assert "**0.3** is sent and waits" in words(app)
    assert slider(app).value == 0.3


def test_a_command_from_elsewhere_is_shown_before_it_is_applied(add_run) -> None:
    writer = add_run()
    app = open_page()
    send(Run(writer.path), Command(command="set_weight", loss="alignment", value=0.1, ticket=OTHER))
    app.run()
    assert slider(app).value == 0.1
    assert len(commands(writer)) == 1


def test_every_weight_that_the_models_card_names_has_a_slider(add_run) -> None:
    writer = add_run(alignment_weight=0.001, reg_weight=0.01)
    app = open_page()
    assert [s.label for s in app.select_slider] == [
        "Alignment weight",
        "L2 penalty",
    ]
    assert "How strongly the parameters are kept small" in app.select_slider[1].help
    app.select_slider[1].set_value(0.1).run()
    (command,) = commands(writer)
    assert (command.loss, command.value) == ("regularization", 0.1)
    assert [s.value for s in app.select_slider] == [0.001, 0.1]


def test_a_slider_keeps_to_the_bounds_of_its_setting(add_run) -> None:
    add_run()
    options = slider(open_page()).options
    assert (options[0], options[-1]) == ("0", "10")  # ge=0, le=10
    field = FieldInfo.from_annotation(Annotated[float, Field(ge=0.01, le=0.3)])
    assert weight_options(field) == [0.01, 0.03, 0.1, 0.3]
    assert weight_options(field, 0.05) == [0.01, 0.03, 0.05, 0.1, 0.3]


def test_a_weight_that_was_moved_has_a_chart_of_its_own(add_run) -> None:
    writer = add_run(alignment_weight=0.001, reg_weight=0.01)
    assert "weight-alignment" in figures(open_page())
    assert "weight-regularization" not in figures(open_page())
    writer.append_event("set_weight", epoch=2, loss="regularization", value=0.3)
    drawn = figures(open_page())
    assert [s["x0"] for s in drawn["weight-regularization"]["layout"]["shapes"]] == [2.5]
    assert not drawn["weight-alignment"]["layout"].get("shapes")
    assert [s["x0"] for s in drawn["losses"]["layout"]["shapes"]] == [2.5]


def test_a_run_of_a_model_that_is_not_known_here_is_shown_without_sliders(add_run) -> None:
    writer = add_run()
    config = json.loads(writer.layout.config.read_text())
    config["config"]["model"] = "from-a-newer-version"
    writer.layout.config.write_text(json.dumps(config))
    app = open_page()
    assert not app.exception
    assert not app.select_slider
    assert "losses" in figures(app)


def test_a_model_without_a_weight_to_move_has_no_slider_and_no_weight_chart(add_run) -> None:
    add_run("demo", n_layers=2)
    app = open_page()
    assert not [s for s in app.select_slider if s.key.startswith(KEY)]
    assert not [key for key in figures(app) if key.startswith("weight")]
