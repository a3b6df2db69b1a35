"""Twins: two trainings of one form, watched side by side, each with its own slider."""

from __future__ import annotations

from rednd_core.config import PROJECT_ROOT
from tests.app import sent
from tests.app.training.page import FORM, commands, open_page, words


def test_twins_differ_in_one_weight_alone_and_are_watched_side_by_side(started) -> None:
    app = open_page(FORM)
    app.select_slider(key="train.sample_data/shop.rednnd.alignment_weight").set_value(0.1)
    app.text_input(key="train.name").set_value("pair")
    app.run()
    app.toggle(key="train.twins").set_value(True).run()
    app.button(key="train.start").click().run()
    assert not app.exception
    (first, one), (second, other) = started
    assert (one, other) == ("pair-alignment-0.1", "pair-alignment-0")
    assert first.training == second.training  # the seed among them
    assert first.data == second.data
    weights = [each.hyperparameters["alignment_weight"] for each in (first, second)]
    assert weights == [0.1, 0.0]
    rest = [each.hyperparameters | {"alignment_weight": 0} for each in (first, second)]
    assert rest[0] == rest[1]
    assert app.selectbox(key="job").value == one
    assert app.selectbox(key="beside").value == other
    said = words(app)
    assert said.count("Starting …") + said.count("Queued behind") == 2


def test_each_slider_moves_its_own_run(add_run) -> None:
    writers = [add_run(name) for name in ("left", "right")]
    app = open_page(job="left")
    app.selectbox(key="beside").set_value("right").run()
    assert not app.exception
    sliders = {slider.key.split(".")[2]: slider for slider in app.select_slider}
    assert set(sliders) == {"left", "right"}
    sliders["right"].set_value(0.3).run()
    assert not app.exception
    assert [len(commands(writer)) for writer in writers] == [0, 1]
    (command,) = commands(writers[1])
    assert (command.loss, command.value) == ("alignment", 0.3)
    assert len(sent.charts(app)) > 0


def test_watching_another_run_alone_leaves_no_run_beside_it(add_run) -> None:
    for name in ("left", "right", "third"):
        add_run(name)
    app = open_page(job="left")
    app.selectbox(key="beside").set_value("right").run()
    app.button(key="watch.third").click().run()
    assert not app.exception
    assert app.selectbox(key="job").value == "third"
    assert app.selectbox(key="beside").value == "none"


def test_runs_with_snapshots_are_a_click_away_from_their_replay(show_store) -> None:
    show_store(PROJECT_ROOT / "sample_data" / "shop" / "runs")
    app = open_page(job="shop-rednnd-a0")
    app.selectbox(key="beside").set_value("shop-lightgcn").run()
    assert not [b for b in app.button if b.key == "training.replay"]  # one has nothing to replay
    app.selectbox(key="beside").set_value("shop-rednnd-a0.1").run()
    app.button(key="training.replay").click().run()
    assert not app.exception
    assert app.session_state["run"] == "shop-rednnd-a0"
    assert app.session_state["vs"] == "shop-rednnd-a0.1"
    assert app.session_state["over"] == "epochs"
