"""The Live training page: the form, the jobs, the watched run, and runs that come and go."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app import cached, navigation
from app.components import live_charts, training_watch
from app.components.training_fields import WEIGHTS
from app.views import home
from rednd_core import jobs
from rednd_core.config import PROJECT_ROOT, DataConfig, RunConfig, TrainingConfig
from rednd_core.errors import RunError
from rednd_core.models.rednnd import RedNnDHyperparameters
from rednd_core.runs import (
    Command,
    ControlReader,
    DataFacts,
    ModelFacts,
    Provenance,
    RunRecord,
    RunStore,
    RunWriter,
    create_run,
    export,
    send,
)

HOME = str(PROJECT_ROOT / "app" / "Home.py")
FACTS = ModelFacts(modalities=("image", "text"), n_layers=2, embedding_size=4, readout="mean")
N_USERS, N_ITEMS = 30, 20


def _blank() -> None:
    """Stands in for Home."""


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunStore:
    own = RunStore(tmp_path / "runs")
    monkeypatch.setattr("app.cached.runs.default_store", lambda: own)
    monkeypatch.setattr(navigation, "prewarm", lambda: None)
    monkeypatch.setattr(home, "render", _blank)  # the page links need the menu, not Home's maps
    monkeypatch.setattr("app.cached.maps.CACHE_DIR", tmp_path / "cache")
    st.cache_data.clear()
    cached.runs._follower.clear()
    live_charts._component.clear()
    return own


@pytest.fixture
def add_run(store: RunStore) -> Callable[..., RunWriter]:
    """``add_run(name, state, epochs)``: a run of random layers; a living one is this process's."""

    def add(name: str = "demo", state: str = "running", n_epochs: int = 3, **own: Any) -> RunWriter:
        settings = own if own else {"alignment_weight": 0.001}
        config = RunConfig(
            model="rednnd" if "alignment_weight" in settings else "lightgcn",
            data=DataConfig(path="sample_data/shop"),
            hyperparameters=settings,
            training=TrainingConfig(epochs=50),
        )
        data = DataFacts(
            name="shop",
            digest="ab",
            n_users=N_USERS,
            n_items=N_ITEMS,
            n_train=9,
            n_valid=1,
            n_test=1,
        )
        record = RunRecord(config=config, provenance=Provenance(seed=1), data=data, model=FACTS)
        writer = create_run(store.root / name, record)
        for epoch in range(1, n_epochs + 1):
            writer.append_metrics(row(epoch, settings))
        layers = np.random.default_rng(0).normal(size=(2, 3, N_USERS + N_ITEMS, 4))
        stacks = dict(zip(FACTS.modalities, layers.astype(np.float32), strict=True))
        if n_epochs:
            first = stacks["image"][0]
            writer.save_layers(
                {m: list(s) for m, s in stacks.items()},
                first[:N_USERS],
                first[N_USERS:],
                epoch=n_epochs,
            )
        writer.status(state, epoch=n_epochs, best_epoch=min(2, n_epochs), message="So it *goes*")
        return writer

    return add


def row(epoch: int, settings: dict[str, Any]) -> dict[str, Any]:
    smoothness = {
        f"layer.{modality}.{layer}.{side}.mad": 0.1 * epoch + layer
        for modality in FACTS.modalities
        for layer in range(3)
        for side in ("users", "items")
    }
    return {
        "epoch": epoch,
        "losses": {"bpr": 1 / epoch},
        "weights": {"bpr": 1.0}
        | ({"alignment": settings["alignment_weight"]} if "alignment_weight" in settings else {}),
        "valid": {"recall@20": {1: 0.1, 2: 0.3}.get(epoch, 0.2)},
        "smoothness": smoothness,
        "seconds": {"train": 0.5, "validation": 0.25, "smoothness": 0.25},
    }


FORM = ("train.open", "train.all")
MANAGE = ("manage.open",)


def open_page(opened: tuple[str, ...] = (), job: str | None = None) -> AppTest:
    app = AppTest.from_file(HOME, default_timeout=120)
    app.run().switch_page("../pages/4_Training.py")
    if job is not None:
        app.session_state["job"] = job
    for key in ("train.open", "train.all", "manage.open"):
        app.session_state[key] = key in opened
    app.run()
    assert not app.exception
    return app


def charts(app: AppTest) -> dict[str, dict[str, Any]]:
    """What is sent to the frame of the charts, by their keys; figures parsed."""
    (frame,) = app.get("component_instance")
    sent = json.loads(frame.proto.json_args)["charts"]
    return {chart["key"]: chart | {"figure": json.loads(chart["figure"])} for chart in sent}


def figures(app: AppTest) -> dict[str, dict[str, Any]]:
    return {key: chart["figure"] for key, chart in charts(app).items()}


def numbers(value: Any) -> np.ndarray:
    if isinstance(value, dict):
        return np.frombuffer(base64.b64decode(value["bdata"]), dtype=value["dtype"])
    return np.asarray(value, dtype=float)


def words(app: AppTest) -> str:
    return "\n".join(part.value for part in (*app.markdown, *app.caption, *app.error, *app.warning))


def commands(writer: RunWriter) -> list[Command]:
    return ControlReader(writer.path).waiting()


def keys(app: AppTest) -> set[str]:
    return {button.key for button in app.button}


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, store: RunStore) -> list[tuple[RunConfig, str | None]]:
    """What the form hands to ``start_training``, which makes a queued run and no process."""
    calls: list[tuple[RunConfig, str | None]] = []

    def start(config: RunConfig, into: RunStore, name: str | None = None) -> Any:
        calls.append((config, name))
        record = RunRecord(config=config, provenance=Provenance(seed=0))
        writer = create_run(into.root / (name or "auto"), record)
        writer.heartbeat()  # this process counts as the job's
        return into.open(writer.path.name)

    monkeypatch.setattr(jobs, "start_training", start)
    return calls


# --- the form ---------------------------------------------------------------------------------------


def test_the_form_offers_every_setting_with_its_own_bounds() -> None:
    app = open_page(FORM)
    labels = {
        w.label for kind in ("number_input", "selectbox", "text_input") for w in app.get(kind)
    }
    labels |= {w.label for w in (*app.multiselect, *app.select_slider)}
    for name in (*RedNnDHyperparameters.model_fields, *TrainingConfig.model_fields):
        wanted = "alignment weight at the start" if name == "alignment_weight" else name
        assert wanted.replace("_", " ").capitalize() in labels, name
    layers = next(w for w in app.number_input if w.label == "N layers")
    assert (layers.min, layers.max) == (0, 32)
    assert app.select_slider[0].options == [f"{w:g}" for w in WEIGHTS]


def test_start_hands_over_the_validated_settings(started) -> None:
    app = open_page(FORM)
    app.select_slider(key="train.rednnd.alignment_weight").set_value(0.1)
    app.number_input(key="train.sample.rednnd.embedding_size").set_value(16)
    app.text_input(key="train.name").set_value("my-run")
    app.run()
    app.button(key="train.start").click().run()
    assert not app.exception
    ((config, name),) = started
    assert name == "my-run"
    assert (config.model, config.data.path) == ("rednnd", "sample_data/shop")
    assert config.hyperparameters["alignment_weight"] == 0.1
    assert config.hyperparameters["embedding_size"] == 16
    assert config.hyperparameters["temperature"] == 0.2
    assert config.training.epochs == 600
    # And the page watches it at once.
    assert app.selectbox(key="job").value == "my-run"
    assert "watch.stop.my-run" in keys(app)


def test_another_model_has_its_own_settings_and_no_slider(started) -> None:
    app = open_page(FORM)
    app.selectbox(key="train.model").set_value("lightgcn").run()
    assert not app.select_slider
    app.button(key="train.start").click().run()
    ((config, name),) = started
    assert name is None
    assert set(config.hyperparameters) == {"embedding_size", "reg_weight", "n_layers"}


def test_settings_keep_their_values_while_they_are_closed(started) -> None:
    app = open_page(FORM)
    app.number_input(key="train.sample.rednnd.knn_k").set_value(7)
    app.text_input(key="train.sample.rednnd.fusion_weights").set_value("image=0.3, text=0.7")
    app.run()
    app.session_state["train.all"] = False
    app.run()
    assert "train.sample.rednnd.knn_k" not in {w.key for w in app.number_input}
    app.button(key="train.start").click().run()
    ((config, _),) = started
    assert config.hyperparameters["knn_k"] == 7
    assert config.hyperparameters["fusion_weights"] == {"image": 0.3, "text": 0.7}


@pytest.mark.parametrize(
    ("key", "text", "sentence"),
    [
        ("train.sample.rednnd.ks", "5, ten", "whole numbers with commas"),
        ("train.sample.rednnd.ks", "5, 10", "to use one of the ks"),
        ("train.sample.rednnd.fusion_weights", "image", "name=number"),
        ("train.name", "../evil", "a run name of 1 to 100"),
    ],
)
def test_what_cannot_be_started_is_a_sentence(
    key: str, text: str, sentence: str, store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs.process, "_spawn", lambda run: pytest.fail("started"))
    app = open_page(FORM)
    app.text_input(key=key).set_value(text).run()
    if app.button(key="train.start") if "train.start" in keys(app) else None:
        app.button(key="train.start").click().run()
    assert not app.exception
    assert sentence in words(app).replace("\\", "")
    assert not store.list()


def test_a_bad_data_path_is_the_reports_sentence(tmp_path: Path) -> None:
    app = open_page()
    app.session_state["data_path"] = str(tmp_path / "nowhere")
    app.session_state["train.open"] = True
    app.run()
    assert not app.exception
    assert "Expected" in app.error[0].value
    assert "nowhere" in app.error[0].value
    assert "train.start" not in keys(app)


def test_a_preset_folder_is_what_is_trained_on(planted_folder: Path, started) -> None:
    app = open_page()
    app.session_state["data_path"] = str(planted_folder)
    app.session_state["train.open"] = True
    app.run()
    app.button(key="train.start").click().run()
    assert started[0][0].data.path == str(planted_folder.resolve())
    assert started[0][0].training.epochs == TrainingConfig().epochs  # no classroom short cuts


# --- watching ---------------------------------------------------------------------------------------


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
        "weight",
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
    assert "Layers after epoch 3 · 50 of 50 nodes" in charts(app)["layers"]["caption"]
    titles = [note["text"] for note in drawn["layers"]["layout"]["annotations"]]
    assert titles[1] == "<b>layer 1</b><br>MAD 1.30 / 1.30"
    assert (
        "Epoch 3 of 50 · 1.00 s each · at most 47 s left · best recall@20 **0.3000** (epoch 2)"
        in said
    )
    assert "**0.1** was applied in epoch **3**" in said


def test_measure_and_modality_choose_what_is_drawn(add_run) -> None:
    add_run()
    app = open_page()
    app.selectbox(key="training.measure").set_value("effective_rank").run()
    title = figures(app)["smoothness"]["layout"]["yaxis"]["title"]["text"]
    assert title == "Effective rank, users"
    before = figures(app)["layers"]["data"][0]["x"]
    app.selectbox(key="modality").set_value("text").run()
    assert figures(app)["layers"]["data"][0]["x"] != before


def test_the_slider_sends_the_weight_once(add_run) -> None:
    writer = add_run()
    app = open_page()
    slider = app.select_slider(key="training.weight.demo")
    assert slider.value == 0.001
    slider.set_value(0.3).run()
    (command,) = commands(writer)
    assert (command.command, command.loss, command.value) == ("set_weight", "alignment", 0.3)
    assert "waits for the next batch" in words(app)
    app.run()
    assert len(commands(writer)) == 1
    writer.append_event("set_weight", epoch=3, loss="alignment", value=0.3)
    app.run()
    assert "**0.3** was applied in epoch **4**" in words(app)
    assert len(commands(writer)) == 1


def test_what_another_tab_sets_does_not_move_this_slider_into_a_command(add_run) -> None:
    writer = add_run()
    app = open_page()
    writer.append_event("set_weight", epoch=3, loss="alignment", value=0.03)
    for _ in range(3):
        app.run()
    assert "**0.03** was applied" in words(app)
    assert commands(writer) == []


def test_a_refused_weight_says_why(add_run) -> None:
    writer = add_run()
    app = open_page()
    app.select_slider(key="training.weight.demo").set_value(1.0).run()
    writer.append_event("refused", epoch=3, loss="alignment", value=1.0, message="No such *loss*")
    app.run()
    assert r"No such \*loss\*" in words(app)


def test_a_model_without_alignment_has_no_slider_and_no_weight_chart(add_run) -> None:
    add_run("plain", n_layers=2)
    app = open_page()
    assert "training.weight.plain" not in {s.key for s in app.select_slider}
    assert "weight" not in figures(app)


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
    app = open_page()
    assert "killed" in app.warning[0].value
    assert "watch.continue.demo" in keys(app)


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


def test_a_broken_history_is_a_sentence(add_run) -> None:
    writer = add_run()
    with writer.layout.metrics.open("ab") as file:
        file.write(b"garbage\n")
    app = open_page()
    assert "metrics.jsonl" in words(app).replace("\\", "")


# --- coming and going --------------------------------------------------------------------------------


def test_delete_asks_first(add_run, store: RunStore) -> None:
    add_run("old", "finished")
    app = open_page(MANAGE)
    assert store.list()
    app.button(key="manage.confirm").click().run()
    assert not store.list()
    assert "There is no run yet" in app.info[0].value


def test_a_living_run_can_be_neither_deleted_nor_exported(add_run) -> None:
    add_run()
    app = open_page(MANAGE)
    assert "manage.confirm" not in keys(app)
    assert not [b for b in app.download_button if b.key == "manage.export"]


def files_of(store: RunStore) -> list[str]:
    return sorted(str(path) for path in store.root.rglob("*"))


def upload(app: AppTest, *files: tuple[str, bytes, str]) -> AppTest:
    app.file_uploader(key="manage.files").set_value(list(files)).run()
    return app.button(key="manage.import").click().run()


@pytest.mark.parametrize(
    "files",
    [
        [("run.zip", b"PK\x05\x06 not a zip", "application/zip")],
        [("config.json", b"{}", "application/json")],
        [
            ("best.safetensors", b"\x00" * 64, "application/octet-stream"),
            ("config.json", b'{"format": 1}', "application/json"),
        ],
    ],
)
def test_a_hostile_upload_is_a_sentence_and_changes_nothing(
    add_run, store: RunStore, files: list[tuple[str, bytes, str]]
) -> None:
    add_run("kept", "finished")
    before = files_of(store)
    app = upload(open_page(MANAGE), *files)
    assert not app.exception
    assert "Nothing was imported" in app.error[0].value
    assert files_of(store) == before


def test_an_exported_run_comes_back(add_run, store: RunStore, tmp_path: Path) -> None:
    add_run("old", "finished")
    archive = export(store.open("old"), tmp_path / "old.zip").read_bytes()
    store.delete("old")
    app = upload(open_page(MANAGE), ("old.zip", archive, "application/zip"))
    assert not app.exception
    assert app.selectbox(key="job").value == "old"
    assert store.open("old").status.state == "finished"
