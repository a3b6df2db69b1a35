"""The form that starts a training: data, model, every setting, and a button."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app import cached, exposure, state
from app.shared.declared import declared
from app.shared.path_field import path_field
from app.shared.reading import reading
from app.shared.text import escape_markdown
from app.training.actions import watch_next
from app.training.fields import kept_setting, setting, weight_options
from rednd_core import jobs
from rednd_core.config import (
    PROJECT_ROOT,
    DataConfig,
    RunConfig,
    TrainingConfig,
    parse_settings,
    portable_path,
    resolve_data_path,
)
from rednd_core.data.interactions import data_folders
from rednd_core.data.schema import Dataset
from rednd_core.errors import ConfigError, RedndError
from rednd_core.evaluation.metrics import METRICS, parse_metric
from rednd_core.modeling.registry import model_title

DEFAULT_MODEL = "rednnd"
HEADLINE = "alignment_weight"
VISIBLE = ("embedding_size", "n_layers", "learning_rate", "epochs")
FORM, START, REFUSED = "train-form", "train-start", "train-refused"  # as their style sheet has them
# A number outside of its bounds stays in the browser: the server would start with the last good one.
NO_SILENT_START = f"""
.st-key-{FORM}:has(input[aria-invalid=true]) .st-key-{START} {{ display: none; }}
.st-key-{FORM}:not(:has(input[aria-invalid=true])) .st-key-{REFUSED} {{ display: none; }}
"""


def start_form() -> None:
    """Draw the form; a press on the button starts a detached process and watches it."""
    if not exposure.may_train():
        st.info(
            "Trainings cannot be started in this public app. Install the project to train your own."
        )
        return
    st.html(f"<style>{NO_SILENT_START}</style>")
    try:
        with st.container(key=FORM):
            _form()
    except RedndError as error:
        st.error(escape_markdown(str(error)), icon=":material/error:")


def _form() -> None:
    models = cached.models()
    left, right = st.columns(2)
    with left:
        data = reading(_data_config())
    with right:
        model = st.selectbox(
            "Model",
            list(models),
            index=list(models).index(DEFAULT_MODEL),
            format_func=model_title,
            key="train.model",
            persist_state="session",
        )
    dataset = cached.dataset(data)
    with left:
        _facts(dataset)
    with right:
        name = st.text_input(
            "Name of the run",
            placeholder=cached.store().new_name(model, dataset.name),
            help="Letters, digits, dots, dashes, underscores. Empty: the name shown in grey.",
            key="train.name",
        )
    own = models[model].settings_class.model_fields
    if HEADLINE in own:
        headline = st.select_slider(
            "Alignment weight at the start",
            weight_options(own[HEADLINE].default),
            value=own[HEADLINE].default,
            format_func=lambda weight: f"{weight:g}",
            key=f"train.{model}.{HEADLINE}",
            persist_state="session",
            help="How strongly each node is kept close to its own beginning while it listens to its "
            "neighbours: the mean of its layers 1 to L is pulled towards its own x⁰ and away from "
            "the x⁰ of other nodes. 0 switches it off. You can move it while it trains.",
        )
    values = _settings(model, own, dataset)
    if HEADLINE in own:
        values[0][HEADLINE] = headline
    with st.container(key=REFUSED):
        st.warning(
            "A number marked red is outside of its range. Correct it, then the training can start.",
            icon=":material/error:",
        )
    if st.button("Start training", type="primary", icon=":material/play_arrow:", key="train.start"):
        _start(model, data, *values, name=name.strip() or None)


def _data_config() -> DataConfig:
    """Bundled samples, what known runs were trained on, or any folder that is typed in."""
    options = [portable_path(folder) for folder in data_folders(PROJECT_ROOT / "sample_data")]
    options += declared()
    for entry in cached.run_entries():
        if entry.record and entry.record.config.data.path not in options:
            options.append(entry.record.config.data.path)
    chosen = st.session_state.get(state.DATA_PATH)
    if chosen and chosen not in options and not exposure.is_public():
        options.append(chosen)
    path = st.selectbox(
        "Data set",
        options,
        placeholder="none is known, type the path of one",
        help="Sample data, and what the runs were trained on.",
        key=state.DATA_PATH,
        persist_state="session",
    )
    if not exposure.is_public():
        path_field(state.DATA_PATH)
    if not path:
        raise ConfigError(
            expected="a data set", found="none", remedy="choose one or type the path of a folder"
        )
    exposure.require_offered(path, options)
    return DataConfig(path=portable_path(resolve_data_path(path)))


def _facts(dataset: Dataset) -> None:
    modalities = ", ".join(dataset.features) or "no item features"
    st.caption(
        f"{dataset.n_users:,} users, {dataset.n_items:,} items, {len(dataset.train):,} pairs to "
        f"train on, {len(dataset.valid):,} to validate; {escape_markdown(modalities)}"
    )


def _settings(
    model: str, own: dict[str, Any], dataset: Dataset
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Widgets of all settings: (hyper-parameters, training settings), not validated yet."""
    from rednd_core.modeling.defaults import defaults

    known = defaults(model, dataset.path)
    recommended = any(default.owner == "data set" for default in known.values())
    group = "sample" if recommended else "own"
    training = TrainingConfig.model_fields
    columns = st.columns(len(VISIBLE) + 1)
    chosen: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
    for column, name in zip(columns, (*VISIBLE, "seed"), strict=True):
        values, fields = (chosen[0], own) if name in own else (chosen[1], training)
        if name in fields:
            default = known[name].value
            with column:
                values[name] = setting(
                    name, fields[name], default, f"train.{group}.{model}.{name}", []
                )
    everything = st.expander("All settings", key="train.all", on_change="rerun")
    with everything:
        grid = st.columns(3) if everything.open else ()
        rest = [(chosen[0], own, name) for name in own if name not in (*VISIBLE, HEADLINE)]
        rest += [(chosen[1], training, name) for name in training if name not in (*VISIBLE, "seed")]
        for number, (values, fields, name) in enumerate(rest):
            field = fields[name]
            default = known[name].value
            choices = list(dataset.features)
            if name == "select_by":
                choices = [f"{metric}@{k}" for metric in METRICS for k in training["ks"].default]
            key = f"train.{group}.{model}.{name}"
            if not everything.open:
                values[name] = kept_setting(name, field, default, key)
                continue
            with grid[number % len(grid)]:
                values[name] = setting(name, field, default, key, choices)
    return chosen


def _start(
    model: str,
    data: DataConfig,
    own: dict[str, Any],
    training: dict[str, Any],
    *,
    name: str | None,
) -> None:
    """Validate everything that can be validated without building the model, then start."""
    from rednd_core.modeling.registry import hyperparameters

    settings = hyperparameters(model, own)
    protocol = parse_settings(TrainingConfig, training, "training setting")
    if parse_metric(protocol.select_by)[1] not in protocol.ks:
        raise ConfigError(
            expected=f"select_by to use one of the ks {', '.join(map(str, protocol.ks))}",
            found=protocol.select_by,
            remedy="add its cut-off to ks or choose another metric",
        )
    config = RunConfig(
        model=model,
        data=data,
        hyperparameters=settings.model_dump(mode="json"),
        training=protocol,
    )
    with exposure.starting:
        live = [e.name for e in cached.store().list() if e.status and e.status.is_live]
        exposure.require_turn(live, protocol.epochs)
        run = jobs.start_training(config, cached.store(), name)
    exposure.remember(run.name)
    cached.run_entries.clear()
    watch_next(run.name)
    st.session_state.pop("train.name", None)
    st.rerun()
