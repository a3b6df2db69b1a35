"""The form that starts a training: data, model, every setting, and a button."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app import cached, exposure, state
from app.shared.data_paths import bundled, declared, path_field
from app.shared.reading import make_text_features, reading
from app.shared.text import escape_markdown
from app.training.actions import watch_next
from app.training.settings import choose_settings
from app.training.twins import choose_twin, twin_names
from rednd_core import jobs
from rednd_core.config import (
    DataConfig,
    RunConfig,
    portable_path,
    resolve_data_path,
)
from rednd_core.data.schema import Dataset
from rednd_core.data.text_features import has_texts
from rednd_core.errors import ConfigError, RedndError
from rednd_core.evaluation.metrics import parse_metric
from rednd_core.modeling.registry import CARDS, SUBJECT, ModelCard, weight_setting

FORM, START, REFUSED = "train-form", "train-start", "train-refused"  # as their style sheet has them
# The browser does not send a number outside of its bounds, so the server would start with the last good one.
NO_SILENT_START = f"""
.st-key-{FORM}:has(input[aria-invalid=true]) .st-key-{START} {{ display: none; }}
.st-key-{FORM}:not(:has(input[aria-invalid=true])) .st-key-{REFUSED} {{ display: none; }}
"""


def start_form() -> None:
    """Draw the form. Its button starts a training as a process of its own, which the page then watches."""
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
        dataset = cached.dataset(data)
        _facts(dataset)
    with right:
        card = _choose_model(dataset, data)
        name = st.text_input(
            "Name of the run",
            placeholder=cached.store().new_name(card.name, dataset.name),
            help="Letters, digits, dots, dashes, underscores. An empty field takes the name shown in grey.",
            key="train.name",
        )
    fields = models[card.name].settings_class.model_fields
    settings = choose_settings(card, fields, dataset, data.path)
    twin = choose_twin(card, fields, settings)
    with st.container(key=REFUSED):
        st.warning(
            "A number marked red is outside of its range. Correct the number to start the training.",
            icon=":material/error:",
        )
    label = "Start training" if twin is None else "Start both trainings"
    if st.button(label, type="primary", icon=":material/play_arrow:", key="train.start"):
        if twin is None:
            _start(card.name, data, settings, name=name.strip() or None)
        else:
            stem = name.strip() or cached.store().new_name(f"{card.name}-twins", dataset.name)
            _start_twins(card, data, settings, twin, stem)


def _data_config() -> DataConfig:
    """One of the bundled samples, a data set of a known run, or any folder that is typed in."""
    options = [*bundled(), *declared()]
    for entry in cached.run_entries():
        if (record := entry.record) is None or not record.has_interactions:
            continue
        if record.config.data.path not in options:
            options.append(record.config.data.path)
    chosen = st.session_state.get(state.DATA_PATH)
    if chosen and chosen not in options and not exposure.is_public():
        options.append(chosen)
    path = st.selectbox(
        "Data set",
        options,
        placeholder="none is known, type the path of one",
        help="Sample data, and the data sets of all runs.",
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


def _start(model: str, data: DataConfig, settings: dict[str, Any], *, name: str | None) -> None:
    """Validate all settings that can be validated without building the model, then start the training."""
    from rednd_core.modeling.defaults import configure

    config = _checked(configure(model, data, settings))
    with exposure.starting:
        live = [e.name for e in cached.store().list() if e.status and e.status.is_live]
        exposure.require_turn(live, config.training.epochs)
        run = jobs.start_training(config, cached.store(), name)
    exposure.remember(run.name)
    _watch_now(run.name)


def _start_twins(
    card: ModelCard, data: DataConfig, settings: dict[str, Any], weight: float, stem: str
) -> None:
    """Start two trainings that differ in one weight alone."""
    from rednd_core.modeling.defaults import configure

    loss = card.live[0]
    setting = weight_setting(loss)
    weights = [float(settings[setting]), weight]
    configs = [_checked(configure(card.name, data, settings | {setting: each})) for each in weights]
    names = twin_names(stem, loss, weights)
    runs = jobs.start_together(dict(zip(names, configs, strict=True)), cached.store())
    _watch_now(*(run.name for run in runs))


def _checked(config: RunConfig) -> RunConfig:
    protocol = config.training
    if parse_metric(protocol.select_by)[1] not in protocol.ks:
        raise ConfigError(
            expected=f"select_by to use one of the ks {', '.join(map(str, protocol.ks))}",
            found=protocol.select_by,
            remedy="add its cut-off to ks or choose another metric",
        )
    return config


def _watch_now(name: str, beside: str | None = None) -> None:
    cached.run_entries.clear()
    watch_next(name, beside)
    st.session_state.pop("train.name", None)
    st.rerun()


def _choose_model(dataset: Dataset, data: DataConfig) -> ModelCard:
    """A select box of all models, and what the chosen one is and needs.

    Raises:
        ConfigError: the data set lacks what the model needs.
    """
    names = list(CARDS)
    name = st.selectbox(
        "Model",
        names,
        index=names.index(_first_choice(dataset)),
        format_func=lambda each: f"{CARDS[each].title} · {CARDS[each].family}",
        key="train.model",
        persist_state="session",
    )
    card = CARDS[name]
    needs = ", ".join(_need(need) for need in sorted(card.needs)) or "interactions alone"
    st.caption(f"Needs {needs}. {f'Paper: {card.paper}.' if card.paper else ''}")
    if missing := _missing(card, dataset):
        if has_texts(dataset.items) and not exposure.is_public():
            st.button(
                "Make text features from titles",
                icon=":material/text_fields:",
                on_click=make_text_features,
                args=(data,),
                help="TF-IDF of titles, categories and descriptions, reduced to at most 128 numbers an item.",
                key="train.text",
            )
        raise ConfigError(
            expected=f"{_need(missing[0])} in the data set, which {card.title} needs",
            found=f"none in {dataset.name}",
            remedy="choose another model or another data set",
        )
    return card


def _first_choice(dataset: Dataset) -> str:
    """The model that the form opens with."""
    fitting = [name for name, card in CARDS.items() if not _missing(card, dataset)]
    return SUBJECT if SUBJECT in fitting else fitting[0]


def _missing(card: ModelCard, dataset: Dataset) -> list[str]:
    """What the model needs and the data set does not have, as far as the form can know."""
    return [need for need in card.needs if need == "features" and not dataset.features]


def _need(need: str) -> str:
    return {"features": "item features"}.get(need, need.replace("_", " "))
