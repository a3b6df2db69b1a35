"""The watched run: its charts, its weight slider, and the way to the other pages."""

from __future__ import annotations

import json
import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app import cached
from app.training import charts as training_charts
from app.training import watch as training_watch
from rednd_core.atomic import write_json
from rednd_core.config import DataConfig
from rednd_core.errors import RunError
from rednd_core.runs import EvaluationRecord, ModelFacts, RunStore
from tests.app.sent import numbers
from tests.app.training.page import (
    HOME,
    N_ITEMS,
    N_USERS,
    charts,
    drawn_run,
    figures,
    keys,
    open_page,
    words,
)


def test_what_early_stopping_chose_by_is_said(add_run) -> None:
    writer = add_run("demo", "finished")
    writer.append_event("notice", message="Validation recall@20 was best in the first of 5.")
    app = open_page()
    assert "was best in the first of 5" in " ".join(box.value for box in app.info)


def test_a_running_run_is_found_and_drawn(add_run) -> None:
    add_run("over", "finished")
    writer = add_run("demo")
    writer.append_event("set_weight", epoch=2, loss="alignment", value=0.1)
    app = open_page()
    assert app.selectbox(key="job").value == "demo"
    drawn = figures(app)
    assert set(drawn) == {
        "smoothness",
        "layers",
        "losses",
        "validation",
        "weight-alignment",
    }
    bpr = drawn["losses"]["data"][0]
    np.testing.assert_allclose(numbers(bpr["y"]), [1, 1 / 2, 1 / 3], rtol=1e-6)
    assert [s["x0"] for s in drawn["losses"]["layout"]["shapes"]] == [2.5]
    star = drawn["validation"]["data"][1]
    assert (numbers(star["x"])[0], round(float(numbers(star["y"])[0]), 6)) == (2, 0.3)
    lines = drawn["smoothness"]["data"]
    assert len(lines) == 3 * 2
    np.testing.assert_allclose(numbers(lines[1]["y"]), [1.1, 1.2, 1.3], rtol=1e-6)
    panels = drawn["layers"]["data"]
    assert [len(numbers(t["x"])) for t in panels] == [N_USERS, N_ITEMS] * 3
    said = words(app).replace("\\", "")
    told = charts(app)["layers"]["caption"]
    assert "Layers after epoch 3: 50 of 50 nodes are drawn. MAD: of all users" in told
    assert "All layers share two axes" in told
    titles = [note["text"] for note in drawn["layers"]["layout"]["annotations"]]
    assert titles[1] == "<b>layer 1</b><br><span style='font-size:14px'>MAD 1.30 / 1.30</span>"
    assert (
        "Epoch 3 of 50 · 1.00 s each · up to 47 s more  \n"
        "Best validation recall@20 **0.3000** (epoch 2)" in said
    )
    assert "**0.1** was applied in epoch **3**" in said


def test_the_best_so_far_names_its_split_and_its_users(add_run, monkeypatch) -> None:
    add_run()
    shop = cached.dataset(DataConfig(path="sample_data/shop"))
    monkeypatch.setattr(cached, "run_dataset", lambda run: shop)
    n = len(np.unique(shop.valid.users))
    app = open_page()
    assert f"Best validation recall@20 **0.3000** (epoch 2, {n:,} users)" in words(app)
    assert f"Validation recall@20, mean over {n:,} users." in charts(app)["validation"]["caption"]
    monkeypatch.setattr(training_charts, "COUNTED_PAIRS", 1)  # too many to be read for this
    assert "Best validation recall@20 **0.3000** (epoch 2)" in words(open_page())


def test_what_is_over_has_counted_its_users_itself(add_run) -> None:
    writer = add_run("demo", "finished")
    counted = {"valid": 12, "test": 11}
    record = EvaluationRecord(epoch=2, valid={}, test={}, n_users=counted)
    write_json(writer.layout.evaluation, record)
    assert "(epoch 2, 12 users)" in words(open_page())


def test_a_page_that_is_loaded_again_draws_the_map_as_it_was(add_run) -> None:
    writer = add_run()
    open_page()
    layers = np.random.default_rng(1).normal(size=(3, N_USERS + N_ITEMS, 4)).astype(np.float32)
    layers[..., 0] += 9  # drawn together: a map that begins anew would zoom in, and turn
    writer.save_layers(
        {"image": list(layers), "text": list(layers)},
        layers[0][:N_USERS],
        layers[0][N_USERS:],
        epoch=4,
    )
    here, again = (figures(open_page())["layers"] for _ in range(2))
    cached.run_entries.clear()
    training_charts._shown.clear()
    anew = figures(open_page())["layers"]
    seen = [
        (numbers(f["data"][0]["x"]).tolist(), f["layout"]["xaxis"]["range"])
        for f in (here, again, anew)
    ]
    assert seen[0] == seen[1] != seen[2]


def test_an_address_of_a_run_that_is_not_there_says_so(add_run) -> None:
    add_run("here", "finished")
    app = AppTest.from_file(HOME, default_timeout=180)
    app.run().switch_page("../pages/4_Training.py")
    app.query_params["job"] = "elsewhere"
    app.run()
    assert app.selectbox(key="job").value == "here"
    assert "The run **elsewhere** is not here; this is **here**." in words(app)


def test_a_run_that_is_deleted_in_another_tab_gives_way_to_one_that_is_there(
    add_run, store: RunStore
) -> None:
    add_run("other", "finished")
    add_run("demo", "finished")
    app = open_page(job="demo")
    cached.run_entries()  # as it is known for a second
    store.delete("demo")
    app.run()
    assert app.selectbox(key="job").value == "other"
    assert drawn_run(app) == "other"
    assert "The run **demo** is not here" in words(app)
    assert "Expected" not in words(app)


def test_measure_and_modality_choose_what_is_drawn(add_run) -> None:
    add_run()
    app = open_page()
    app.selectbox(key="training.measure").set_value("effective_rank").run()
    title = figures(app)["smoothness"]["layout"]["yaxis"]["title"]["text"]
    assert title == "Effective rank, users"
    before = figures(app)["layers"]["data"][0]["x"]
    app.selectbox(key="modality").set_value("text").run()
    assert figures(app)["layers"]["data"][0]["x"] != before


def test_what_is_refused_of_another_sender_is_said_too(add_run) -> None:
    writer = add_run("plain", n_layers=2)
    message = "Expected a loss of this model, but found aligment; choose bpr."
    writer.append_event("refused", epoch=3, loss="aligment", value=0.5, message=message)
    app = open_page()
    assert "Epoch 4: setting the weight of the loss aligment to 0.5 was refused" in words(app)
    assert "choose bpr" in words(app)


@pytest.mark.parametrize("page", ["embeddings", "smoothness", "recommendations"])
def test_another_page_opens_with_this_run(add_run, page: str, monkeypatch) -> None:
    add_run("other", "finished")
    add_run("demo", "finished")
    opened: list[str] = []
    monkeypatch.setattr(training_watch, "go_to", opened.append)
    app = open_page(job="other")
    app.button(key=f"training.open.{page}").click().run()
    assert opened == [page]
    assert app.session_state["run"] == "other"


def form_is_open(app: AppTest) -> bool:
    return bool(next(e for e in app.expander if e.label == "Start a new training").proto.expanded)


def test_the_form_is_open_where_there_is_no_run_and_stays_shut_when_a_training_ends(
    add_run,
) -> None:
    app = AppTest.from_file(HOME, default_timeout=180).run()
    app.switch_page("../pages/4_Training.py").run()
    assert form_is_open(app)
    add_run("over", "finished")
    app = AppTest.from_file(HOME, default_timeout=180).run()
    app.switch_page("../pages/4_Training.py").run()
    assert not form_is_open(app)  # the picture of the run comes first
    writer = add_run("demo")
    app = AppTest.from_file(HOME, default_timeout=180).run()
    app.switch_page("../pages/4_Training.py").run()
    assert not form_is_open(app)
    writer.status("stopped", epoch=3)
    cached.run_entries.clear()
    app.run()
    assert "watch.continue.demo" in keys(app)  # it is over
    assert not form_is_open(app)
    assert "Train a model and watch it learn" not in words(
        app
    )  # nor does this push the charts down
    app.switch_page("../pages/5_Data.py").run()
    app.switch_page("../pages/4_Training.py").run()
    assert not form_is_open(app)


def test_the_words_arrive_with_the_charts_that_they_tell_of(
    add_run, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_run()
    order: list[str] = []
    for name in ("charts", "_head", "show_charts"):
        original = getattr(training_watch, name)
        monkeypatch.setattr(
            training_watch,
            name,
            lambda *a, n=name, f=original, **k: (order.append(n), f(*a, **k))[1],
        )
    open_page()
    assert order[-3:] == ["charts", "_head", "show_charts"]


def test_figures_that_fail_leave_the_buttons(add_run, monkeypatch: pytest.MonkeyPatch) -> None:
    add_run()

    def fail(*_: object) -> None:
        raise RunError(expected="numbers", found="nan", remedy="stop it")

    monkeypatch.setattr(training_watch, "charts", fail)
    app = open_page()
    assert "watch.stop.demo" in keys(app)
    assert "found nan" in words(app)


def test_a_broken_history_is_a_sentence(add_run) -> None:
    writer = add_run()
    with writer.layout.metrics.open("ab") as file:
        file.write(b"garbage\n")
    app = open_page()
    assert "metrics.jsonl" in words(app).replace("\\", "")


def test_before_the_first_epoch_it_says_what_it_is_at(add_run) -> None:
    writer = add_run(n_epochs=0)
    assert "Epoch 1 of 50 is on its way" in words(open_page())
    config = json.loads(writer.layout.config.read_text())
    writer.layout.config.write_text(json.dumps(config | {"model": None}))
    assert "Reading the data and building" in words(open_page())


def test_a_side_with_one_node_has_no_mad() -> None:
    names = [f"smoothness.layer.id.0.{side}.mad" for side in ("users", "items")]
    row = {"epoch": 1, names[0]: math.nan, names[1]: 0.5}
    history = SimpleNamespace(epochs=pd.DataFrame([row]))

    index = SimpleNamespace(epoch=1, facts=ModelFacts.uniform(("id",), 0, 4))
    (title,) = training_charts._titles(history, "id", index)
    assert title.endswith("MAD – / 0.500")


def test_the_page_follows_run_a_of_the_other_pages_and_sets_it(add_run) -> None:
    add_run("one", "finished")
    add_run("two", "finished")
    app = open_page(job="one")
    app.session_state["run"] = "two"
    assert app.run().selectbox(key="job").value == "two"
    app = app.selectbox(key="job").select("one").run()
    assert app.session_state["run"] == "one"
    add_run("live")
    app.session_state["run"] = "two"
    assert app.run().selectbox(key="job").value == "one", "a training is not left"
