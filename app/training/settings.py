"""The settings of a new training: a widget for each, and whose default it shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st
from pydantic.fields import FieldInfo

from app.shared.text import escape_markdown
from app.training.fields import effect_of, kept_setting, label_of, setting, weight_options
from rednd_core.config import TrainingConfig
from rednd_core.data.schema import Dataset
from rednd_core.evaluation.metrics import METRICS
from rednd_core.modeling.defaults import Default, defaults
from rednd_core.modeling.registry import ModelCard, weight_setting

VISIBLE = ("embedding_size", "n_layers", "learning_rate", "epochs", "seed")


def choose_settings(
    card: ModelCard, own: Mapping[str, FieldInfo], dataset: Dataset, path: str
) -> dict[str, Any]:
    """Draw the widgets of all settings.

    Args:
        own: the fields of the model's settings.
        path: the data set's, as the run will record it.

    Returns:
        Setting -> chosen value, not validated yet.
    """
    training = TrainingConfig.model_fields
    fields = {**own, **training}
    known = defaults(card.name, path)
    # Another default is another widget: the old one would keep its value.
    group = path if any(default.owner == "data set" for default in known.values()) else "own"
    prefix = f"train.{group}.{card.name}"
    headline = weight_setting(card.live[0]) if card.live else None
    chosen: dict[str, Any] = {}
    if headline in fields:
        chosen[headline] = _weight(card, fields[headline], known[headline], prefix)
    shown = [name for name in VISIBLE if name in fields]
    for column, name in zip(st.columns(len(VISIBLE)), shown, strict=False):
        with column:
            chosen[name] = _widget(card, name, fields[name], known[name], prefix, [])
    st.caption(whose_defaults(card, fields, known, dataset.name))
    everything = st.expander("All settings", key="train.all", on_change="rerun")
    with everything:
        grid = st.columns(3) if everything.open else ()
        rest = [name for name in fields if name not in (*VISIBLE, headline)]
        for number, name in enumerate(rest):
            if not everything.open:
                key = f"{prefix}.{name}"
                chosen[name] = kept_setting(name, fields[name], known[name].value, key)
                continue
            choices = list(dataset.features)
            if name == "select_by":
                choices = [f"{metric}@{k}" for metric in METRICS for k in training["ks"].default]
            with grid[number % len(grid)]:
                chosen[name] = _widget(card, name, fields[name], known[name], prefix, choices)
    return chosen


def _weight(card: ModelCard, field: FieldInfo, default: Default, prefix: str) -> float:
    """A slider of the weight that can be moved later on."""
    loss = card.live[0]
    name = weight_setting(loss)
    return float(
        st.select_slider(
            f"{label_of(name, field)} at the start",
            weight_options(field, default.value),
            value=float(default.value),
            format_func=lambda weight: f"{weight:g}",
            key=f"{prefix}.{name}",
            persist_state="session",
            help=f"{effect_of(loss, field)} You can move it while the model trains. "
            f"Setting `{name}`; {_whose(card, default)}.",
        )
    )


def _widget(
    card: ModelCard,
    name: str,
    field: FieldInfo,
    default: Default,
    prefix: str,
    choices: list[str],
) -> Any:
    whose = _whose(card, default)
    return setting(name, field, default.value, whose, f"{prefix}.{name}", choices)


def _whose(card: ModelCard, default: Default) -> str:
    owners = {
        "data set": "the default is recommended by the data set",
        "model": f"the default is that of {card.title}",
        "project": "the default is that of the project",
    }
    return owners[default.owner]


def whose_defaults(
    card: ModelCard,
    fields: Mapping[str, FieldInfo],
    known: Mapping[str, Default],
    dataset_name: str,
) -> str:
    """Whose defaults the settings show at first, in Markdown."""
    owners = {
        "data set": f"Recommended by the data set {escape_markdown(dataset_name)}",
        "model": f"Of {card.title}{f' ({card.paper})' if card.paper else ''}",
    }
    parts = []
    for owner, words in owners.items():
        names = [label_of(n, fields[n]) for n, default in known.items() if default.owner == owner]
        if names:
            parts.append(f"**{words}:** {' · '.join(map(escape_markdown, names))}.")
    others = "All other settings have" if parts else "All settings have"
    return f"Defaults. {' '.join(parts)} {others} the defaults of the project."
