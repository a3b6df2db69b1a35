"""Choosing a run: what a page opens with, what the address bar holds, what a run is called."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from app import cached
from app.shared.choose import default_run, facts
from app.smoothness.parts import weight_of
from app.smoothness.tables import ChosenRun
from rednd_core.config import DataConfig, RunConfig
from rednd_core.runs import Provenance, Run, RunEntry, RunRecord, RunStore, create_run


@pytest.fixture
def add(store: RunStore) -> Callable[..., RunEntry]:
    """``add(name, model="lightgcn", moves=())``: a run without layers, as if just queued."""

    def make(name: str, model: str = "lightgcn", moves: tuple[float, ...] = ()) -> RunEntry:
        hyperparameters = {"alignment_weight": 0.001} if model == "rednnd" else {}
        config = RunConfig(
            model=model, data=DataConfig(path="shop"), hyperparameters=hyperparameters
        )
        record = RunRecord(config=config, provenance=Provenance(seed=1))
        writer = create_run(store.root / name, record)
        for epoch, weight in enumerate(moves):
            writer.append_event("set_weight", epoch=epoch, loss="alignment", value=weight)
        writer.status("finished", epoch=5, best_epoch=5)
        run = store.open(name)
        return RunEntry(run, run.record, run.status)

    return make


def page() -> None:
    import streamlit as st

    from app.shared.choose import pick_run

    run = pick_run(allow=lambda _: True)
    st.text("none" if run is None else run.name)


def test_a_notice_of_the_training_stands_below_the_run(add) -> None:
    quiet, blind = add("quiet"), add("blind")
    message = "recall@20 cannot tell epochs apart: set select_by=recall@5."
    with blind.run.layout.metrics.open("a") as file:
        file.write(json.dumps({"event": "notice", "time": 1.0, "message": message}) + "\n")
    for run, said in ((quiet, []), (blind, [message])):
        app = AppTest.from_function(page)
        app.query_params["run"] = run.name
        app.run()
        assert app.text[0].value == run.name
        assert [box.value.replace("\\", "") for box in app.info] == said


def test_own_runs_come_first_and_lightgcn_among_the_bundled(add) -> None:
    red, light = add("red", "rednnd"), add("light")
    bundled = {e.name: RunEntry(Run(e.run.path, bundled=True), e.record) for e in (red, light)}
    assert default_run(bundled) == "light"
    assert default_run({"red": red, "light": bundled["light"]}) == "red"
    assert default_run({"red": bundled["red"]}) == "red"


def test_the_first_choice_is_in_the_address_bar(add) -> None:
    add("one")
    app = AppTest.from_function(page).run()
    assert app.text[0].value == "one"
    assert app.session_state["run"] == "one"
    assert app.query_params["run"] == "one"  # from the first run of the page on
    assert app.selectbox[0].proto.HasField("default") is False  # a default would not be in it


def test_a_run_of_the_address_that_is_not_here_is_said(add) -> None:
    add("one")
    app = AppTest.from_function(page)
    app.query_params["run"] = "gone"
    app.run()
    assert app.text[0].value == "one"
    assert "asks for the run gone, which is not here; this is one" in app.warning[0].value
    assert not app.run().warning


def test_a_run_with_a_problem_is_not_offered(add, monkeypatch) -> None:
    whole, torn = add("whole"), replace(add("torn"), problem="Its index is broken.")
    monkeypatch.setattr(cached, "run_entries", lambda: [torn, whole])
    app = AppTest.from_function(page).run()
    assert app.selectbox[0].options == ["whole"]


def test_a_moved_alignment_weight_is_told_and_is_no_point_of_a_chart(add) -> None:
    still, moved = add("still", "rednnd"), add("moved", "rednnd", (0.01, 0.03))
    assert facts(still) == "RedNⁿD · alignment weight 0.001 · shop"
    assert "alignment weight 0.001 → 0.01 → 0.03 (moved)" in facts(moved)
    weights = [weight_of(ChosenRun(e.run, e.record, "image", e.name)) for e in (still, moved)]
    assert weights == [0.001, None]
