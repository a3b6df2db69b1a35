"""The form that starts a training: settings, what it hands over, what it refuses."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from pydantic import Field

from app.training.fields import WEIGHTS, label_of
from rednd_core.config import TrainingConfig
from rednd_core.modeling.registry import CARDS, model_class, model_names
from rednd_core.models.rednnd import RedNnDHyperparameters
from rednd_core.runs import (
    RunStore,
)
from tests.app.forbid import forbid
from tests.app.training.page import FORM, keys, open_page, words


def test_the_form_offers_every_setting_with_its_own_bounds() -> None:
    app = open_page(FORM)
    labels = {
        w.label for kind in ("number_input", "selectbox", "text_input") for w in app.get(kind)
    }
    labels |= {w.label for w in (*app.multiselect, *app.select_slider)}
    for name in (*RedNnDHyperparameters.model_fields, *TrainingConfig.model_fields):
        field = (RedNnDHyperparameters.model_fields | TrainingConfig.model_fields)[name]
        wanted = "Alignment weight at the start" if name == "alignment_weight" else field.title
        assert wanted in labels, name
    layers = next(w for w in app.number_input if w.label == "Layers")
    assert (layers.min, layers.max) == (0, 32)
    assert "`n_layers`" in layers.help  # what the command line calls it
    assert app.select_slider[0].options == [f"{w:g}" for w in WEIGHTS]


@pytest.mark.parametrize("model", model_names())
def test_every_setting_has_a_title_for_people(model: str) -> None:
    fields = model_class(model).settings_class.model_fields | TrainingConfig.model_fields
    titles = [field.title for field in fields.values()]
    assert all(titles)
    assert len(set(titles)) == len(titles)


def test_a_setting_without_a_title_is_called_by_its_name() -> None:
    assert label_of("drop_rate", Field(0.1)) == "Drop rate"


def test_start_hands_over_the_validated_settings(started) -> None:
    app = open_page(FORM)
    app.select_slider(key="train.sample_data/shop.rednnd.alignment_weight").set_value(0.1)
    app.number_input(key="train.sample_data/shop.rednnd.embedding_size").set_value(16)
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
    # And the page watches it at once; a copied link does so, too.
    assert app.selectbox(key="job").value == "my-run"
    assert app.query_params["job"] == "my-run"
    assert "Starting …" in words(app)
    assert "watch.stop.my-run" in keys(app)


def test_a_training_that_has_to_wait_is_watched_at_once(add_run, started) -> None:
    add_run("over", "finished")
    add_run("first", is_job=True)
    app = open_page(FORM, job="over")
    app.text_input(key="train.name").set_value("second").run()
    app.button(key="train.start").click().run()
    assert app.selectbox(key="job").value == "second"
    assert "Queued behind **first**, which is running" in words(app)
    assert "watch.first" in keys(app)  # the run that trains is a click away


def test_a_run_beside_the_queue_keeps_nobody_waiting(add_run, started) -> None:
    add_run("first")  # started from a command line
    app = open_page(FORM, job="first")
    app.text_input(key="train.name").set_value("second").run()
    app.button(key="train.start").click().run()
    assert app.selectbox(key="job").value == "second"
    assert "Starting …" in words(app)


def test_the_help_says_what_the_alignment_does() -> None:
    slider = open_page(FORM).select_slider(key="train.sample_data/shop.rednnd.alignment_weight")
    assert "close to its own beginning while it listens to its neighbours" in slider.help
    assert "towards its own x⁰ and away from the x⁰ of other nodes" in slider.help


def test_another_model_has_its_own_settings_and_its_own_slider(started) -> None:
    app = open_page(FORM)
    app.selectbox(key="train.model").set_value("lightgcn").run()
    assert [slider.label for slider in app.select_slider] == ["Alignment weight at the start"]
    app.button(key="train.start").click().run()
    ((config, name),) = started
    assert name is None
    assert set(config.hyperparameters) == set(model_class("lightgcn").settings_class.model_fields)
    assert config.hyperparameters["plugin_alignment_weight"] == 0


def test_the_settings_of_every_model_show_their_defaults() -> None:
    app = open_page(FORM)
    for name in model_names():
        app.selectbox(key="train.model").set_value(name).run()
        assert not app.exception, name
        for key, field in model_class(name).settings_class.model_fields.items():
            shown = [w.value for w in app.number_input if f"Setting `{key}`;" in w.help]
            if field.annotation in (int, float) and key != "embedding_size" and shown:
                assert shown == [field.default], (name, key)
    app.selectbox(key="train.model").set_value("freedom").run()
    share = next(w for w in app.number_input if w.label == "Edge dropout")
    assert (share.value, share.min, share.max) == (0.8, 0, 1)


def test_every_model_is_listed_with_its_family_and_says_what_it_needs() -> None:
    app = open_page(FORM)
    box = app.selectbox(key="train.model")
    assert box.options == [f"{card.title} · {card.family}" for card in CARDS.values()]
    assert "Needs item features. Paper: arXiv 2412.18962." in words(app)
    box.set_value("popularity").run()
    assert "Needs interactions alone." in words(app)


def test_a_data_set_without_features_opens_with_a_model_that_fits(plain: Path, started) -> None:
    app = open_page()
    app.session_state["data_path"] = str(plain)
    app.session_state["train.open"] = True
    app.run()
    assert not app.error
    assert not CARDS[app.selectbox(key="train.model").value].needs
    app.selectbox(key="train.model").set_value("rednnd").run()
    assert "item features in the data set, which RedNⁿD needs" in app.error[0].value.replace(
        "\\", ""
    )
    assert "train.start" not in keys(app)


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """60 pairs of 10 users, and nothing else."""
    folder = tmp_path / "plain"
    folder.mkdir()
    rows = [f"u{u},i{(u * 3 + i) % 12}" for u in range(10) for i in range(6)]
    (folder / "interactions.csv").write_text("\n".join(["userID,itemID", *rows]) + "\n")
    return folder


def test_the_form_says_whose_defaults_it_shows(planted_folder: Path, tmp_path: Path) -> None:
    app = open_page(FORM)
    said = words(app)
    recommended = "**Recommended by the data set shop:** Embedding size · Epochs, at most · "
    assert f"{recommended}Learning rate · Patience, in validations." in said
    assert "Of RedNⁿD" not in said  # the data set's learning rate counts instead of the model's
    epochs = app.number_input(key="train.sample_data/shop.rednnd.epochs")
    assert epochs.value == 600
    assert "the default is recommended by the data set" in epochs.help
    slider = app.select_slider(key="train.sample_data/shop.rednnd.alignment_weight")
    assert slider.value == RedNnDHyperparameters().alignment_weight
    assert "Setting `alignment_weight`; the default is that of the project." in slider.help
    folder = tmp_path / "own"
    shutil.copytree(planted_folder, folder)
    (folder / "recommended.toml").write_text("[rednnd]\nalignment_weight = 0.02\n")
    app.text_input(key="data_path.typed").set_value(str(folder)).run()
    slider = app.select_slider[0]
    assert slider.value == 0.02
    assert "the default is recommended by the data set" in slider.help
    (folder / "recommended.toml").unlink()
    app.run()
    assert app.select_slider[0].value == RedNnDHyperparameters().alignment_weight
    assert "**Of RedNⁿD (arXiv 2412.18962):** Learning rate." in words(app)
    rate = app.number_input(key="train.own.rednnd.learning_rate")
    assert (rate.value, "the default is that of RedNⁿD" in rate.help) == (1e-4, True)
    assert app.number_input(key="train.own.rednnd.epochs").value == TrainingConfig().epochs


def test_a_recommendation_that_cannot_be_read_is_a_sentence(planted_folder: Path, tmp_path) -> None:
    folder = tmp_path / "own"
    shutil.copytree(planted_folder, folder)
    (folder / "recommended.toml").write_text("[rednnd]\nknn = 3\n")
    app = open_page()
    app.session_state["data_path"] = str(folder)
    app.session_state["train.open"] = True
    app.run()
    assert not app.exception
    assert "setting of rednnd in recommended.toml" in app.error[0].value.replace("\\", "")
    assert "train.start" not in keys(app)


def test_settings_keep_their_values_while_they_are_closed(started) -> None:
    app = open_page(FORM)
    app.number_input(key="train.sample_data/shop.rednnd.knn_k").set_value(7)
    app.text_input(key="train.sample_data/shop.rednnd.fusion_weights").set_value(
        "image=0.3, text=0.7"
    )
    app.run()
    app.session_state["train.all"] = False
    app.run()
    assert "train.sample_data/shop.rednnd.knn_k" not in {w.key for w in app.number_input}
    app.button(key="train.start").click().run()
    ((config, _),) = started
    assert config.hyperparameters["knn_k"] == 7
    assert config.hyperparameters["fusion_weights"] == {"image": 0.3, "text": 0.7}


@pytest.mark.parametrize(
    ("key", "text", "sentence"),
    [
        ("train.sample_data/shop.rednnd.ks", "5, ten", "whole numbers with commas"),
        ("train.sample_data/shop.rednnd.ks", "5, 10", "to use one of the ks"),
        ("train.sample_data/shop.rednnd.fusion_weights", "image", "name=number"),
        ("train.name", "../evil", "a run name of 1 to 100"),
    ],
)
def test_what_cannot_be_started_is_a_sentence(
    key: str, text: str, sentence: str, store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    forbid(monkeypatch, "rednd_core.jobs.process._spawn")
    app = open_page(FORM)
    app.text_input(key=key).set_value(text).run()
    if app.button(key="train.start") if "train.start" in keys(app) else None:
        app.button(key="train.start").click().run()
    assert not app.exception
    assert sentence in words(app).replace("\\", "")
    assert not store.list()


def test_a_path_is_typed_into_a_field_of_its_own(planted_folder: Path, started) -> None:
    app = open_page(FORM)
    box, field = app.selectbox(key="data_path"), app.text_input(key="data_path.typed")
    assert (box.value, field.value) == ("sample_data/shop", "")
    assert not box.proto.accept_new_options  # what is typed there loses the part that is chosen
    field.set_value(f" {planted_folder} ").run()
    assert app.selectbox(key="data_path").value == str(planted_folder)
    assert app.session_state["data_path"] == str(planted_folder)  # what other pages read and set
    assert app.text_input(key="data_path.typed").value == str(planted_folder)
    app.button(key="train.start").click().run()
    assert started[0][0].data.path == str(planted_folder.resolve())
    app.session_state["train.open"] = True
    app.run()
    app.selectbox(key="data_path").set_value("sample_data/shop").run()
    assert app.text_input(key="data_path.typed").value == ""  # not two answers to one question


def test_a_bad_data_path_is_the_reports_sentence(tmp_path: Path) -> None:
    app = open_page()
    app.session_state["data_path"] = str(tmp_path / "nowhere")
    app.session_state["train.open"] = True
    app.run()
    assert not app.exception
    assert "Expected" in app.error[0].value
    assert "nowhere" in app.error[0].value
    assert "train.start" not in keys(app)


@pytest.mark.parametrize("path", ["/no/such/folder", "~nobody-of-that-name/x"])
def test_a_typed_path_that_cannot_be_used_stays_to_be_corrected(path: str) -> None:
    app = open_page(FORM)
    app.text_input(key="data_path.typed").set_value(path).run()
    assert not app.exception
    assert path in app.error[0].value.replace("\\", "")
    assert app.text_input(key="data_path.typed").value == path
    assert "train.start" not in keys(app)
    app.text_input(key="data_path.typed").set_value("sample_data/shop").run()
    assert not app.error
    assert "train.start" in keys(app)


def test_a_preset_folder_is_what_is_trained_on(planted_folder: Path, started) -> None:
    app = open_page()
    app.session_state["data_path"] = str(planted_folder)
    app.session_state["train.open"] = True
    app.run()
    app.button(key="train.start").click().run()
    assert started[0][0].data.path == str(planted_folder.resolve())
    assert started[0][0].training.epochs == TrainingConfig().epochs  # no classroom short cuts


def test_text_features_are_offered_where_a_model_needs_features(tmp_path: Path, started) -> None:
    rows = [f"u{u},i{(u + k) % 9}" for u in range(12) for k in range(5)]
    (tmp_path / "log.csv").write_text("user,item\n" + "\n".join(rows) + "\n")
    titles = [f"i{k},{('Red', 'Blue', 'Green')[k % 3]} mug {k}" for k in range(9)]
    (tmp_path / "items.csv").write_text("item,title\n" + "\n".join(titles) + "\n")
    app = open_page()
    app.session_state["data_path"] = str(tmp_path)
    app.session_state["train.open"] = True
    app.run()
    app.selectbox(key="train.model").set_value("rednnd").run()
    assert "train.start" not in keys(app)
    app.button(key="train.text").click().run()
    assert not app.error
    app.button(key="train.start").click().run()
    ((config, _),) = started
    assert config.data.text_features == "tfidf"
