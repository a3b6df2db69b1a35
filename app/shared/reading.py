"""How a data set is read: its split, its columns and what of it counts. The same on every page."""

from __future__ import annotations

from typing import Any, get_args

import streamlit as st

from rednd_core.config import ColumnNames, DataConfig, SplitRule
from rednd_core.data.layouts import recognise as layouts
from rednd_core.data.split import require_ratios

SPLITS: dict[SplitRule, str] = {
    "auto": "as labelled, else random",
    "given": "as labelled (x_label 0, 1, 2)",
    "random": "random, by shares",
    "leave_last_out": "each user's last ones, by time",
    "global_time": "all before a time, after it, and last",
}
assert set(SPLITS) == set(get_args(SplitRule))
COLUMNS = {
    "user": "Column of users",
    "item": "Column of items",
    "label": "Column of split labels",
    "timestamp": "Column of times",
    "rating": "Column of ratings",
}
LAYOUTS = {
    "auto": "recognised",
    "table": "a table with a header",
    "headerless": "a table without a header",
    "lists": "a user and the items after it in every line",
}
assert set(LAYOUTS) == set(layouts.LAYOUTS)
TEXT_FEATURES = "text_features"


def reading(config: DataConfig) -> DataConfig:
    """Widgets for how ``config.path`` is read, kept for the session; what they come to.

    Where nothing is changed, ``config`` comes back as it is.

    Raises:
        ConfigError: shares that leave nothing to train on.
    """
    names = config.columns or ColumnNames()
    with st.popover("Split and columns", icon=":material/tune:"):
        split: SplitRule = st.selectbox(
            "Split into train, validation and test",
            list(SPLITS),
            index=list(SPLITS).index(config.split),
            format_func=SPLITS.__getitem__,
            **_keep(config, "split"),
        )
        changes: dict[str, Any] = {"split": split}
        if split in ("auto", "random", "global_time"):
            changes |= _shares(config)
        changes |= _choices(config)
        st.caption(
            "What the columns of the interactions are called, where it is not found out; a number where "
            "they have no names:"
        )
        given = {
            role: st.text_input(label, getattr(names, role), **_keep(config, role)).strip()
            for role, label in COLUMNS.items()
        }
    require_ratios(changes.get("ratios", config.ratios))
    # A column that is named must be there, so only what differs from MMRec's names is.
    usual = {role: field.default for role, field in ColumnNames.model_fields.items()}
    chosen = {role: name for role, name in given.items() if name and name != usual[role]}
    if chosen != names.model_dump(exclude_defaults=True):
        changes["columns"] = ColumnNames(**chosen) if chosen else None
    return config.model_copy(update=changes)


def make_text_features(config: DataConfig) -> None:
    """Set the widget that makes text features of ``config.path``; for a callback, before the page runs."""
    st.session_state[_keep(config, TEXT_FEATURES)["key"]] = True


def _choices(config: DataConfig) -> dict[str, Any]:
    """What of the data counts, and how the files are written."""
    layout = st.selectbox(
        "Layout of the files",
        list(LAYOUTS),
        index=list(LAYOUTS).index(config.layout),
        format_func=LAYOUTS.__getitem__,
        **_keep(config, "layout"),
    )
    threshold = st.number_input(
        "The least rating that is a like",
        value=config.rating_threshold,
        placeholder="every row is a like",
        **_keep(config, "threshold"),
    )
    least = st.number_input(
        "Pairs that every user and item must have",
        min_value=1,
        max_value=1_000_000,
        value=config.min_interactions,
        help="The k-core: users and items with fewer are left out, until none has fewer.",
        **_keep(config, "core"),
    )
    sample = st.number_input(
        "Users to draw at random",
        min_value=1,
        value=config.sample_users,
        placeholder="all",
        **_keep(config, "sample"),
    )
    makes = st.checkbox(
        "Make text features from titles, categories and descriptions",
        value=config.text_features is not None,
        help="TF-IDF of the words, reduced to at most 128 numbers an item: the modality 'text'.",
        **_keep(config, TEXT_FEATURES),
    )
    return {
        "layout": layout,
        "rating_threshold": threshold,
        "min_interactions": int(least),
        "sample_users": None if sample is None else int(sample),
        "text_features": (config.text_features or "tfidf") if makes else None,
    }


def _shares(config: DataConfig) -> dict[str, Any]:
    """Shares of a random split, and its seed."""
    shares = [_share(config, "Validation", 1), _share(config, "Test", 2)]
    seed = st.number_input(
        "Seed of a random split",
        min_value=0,
        max_value=2**32 - 1,
        value=config.split_seed,
        **_keep(config, "seed"),
    )
    # The share to train on is what is left, but as it was configured where nothing is changed.
    ratios = (round(1 - sum(shares), 10), *shares)
    if ratios[1:] == config.ratios[1:]:
        ratios = config.ratios
    return {"ratios": ratios, "split_seed": int(seed)}


def _share(config: DataConfig, part: str, place: int) -> float:
    """One of the ratios as a percentage; while that stands as it was, the configured ratio exactly."""
    ratio = config.ratios[place]
    shown = round(100 * ratio, 6)
    percent = st.number_input(
        f"{part}, % of the interactions",
        min_value=0.0,
        max_value=100.0,
        value=shown,
        step=0.5,
        format="%g",
        help="Of a random split.",
        **_keep(config, part),
    )
    return ratio if percent == shown else round(percent / 100, 8)


def _keep(config: DataConfig, name: str) -> dict[str, Any]:
    return {"key": f"reading.{config.path}.{name}", "persist_state": "session"}
