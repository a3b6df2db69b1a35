"""How a data set is read: its split, and what its columns are called. The same on every page."""

from __future__ import annotations

from typing import Any, get_args

import streamlit as st

from rednd_core.config import ColumnNames, DataConfig, SplitRule
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
}


def reading(config: DataConfig) -> DataConfig:
    """Widgets for split and columns of ``config.path``, kept for the session; what they come to.

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
        st.caption("What the columns of the interactions are called, where not as in MMRec:")
        given = {
            role: st.text_input(label, getattr(names, role), **_keep(config, role)).strip()
            for role, label in COLUMNS.items()
        }
    require_ratios(changes.get("ratios", config.ratios))
    # A column that is named must be there, so only what differs from MMRec's names is.
    usual = ColumnNames().model_dump()
    chosen = {role: name for role, name in given.items() if name and name != usual[role]}
    if chosen != names.model_dump(exclude_defaults=True):
        changes["columns"] = ColumnNames(**chosen) if chosen else None
    return config.model_copy(update=changes)


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
