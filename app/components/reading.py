"""How a data set is read: its split, and what its columns are called. The same on every page."""

from __future__ import annotations

from typing import Any, get_args

import streamlit as st

from rednd_core.config import ColumnNames, DataConfig, SplitRule

SPLITS: dict[SplitRule, str] = {
    "auto": "as labelled, else random",
    "given": "as labelled (x_label 0, 1, 2)",
    "random": "random, by shares",
    "leave_last_out": "each user's last ones, by time",
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
        if split in ("auto", "random"):
            changes |= _shares(config)
        st.caption("What the columns of the interactions are called, where not as in MMRec:")
        given = {
            role: st.text_input(label, getattr(names, role), **_keep(config, role)).strip()
            for role, label in COLUMNS.items()
        }
    # A column that is named must be there, so only what differs from MMRec's names is.
    usual = ColumnNames().model_dump()
    chosen = {role: name for role, name in given.items() if name and name != usual[role]}
    if chosen != names.model_dump(exclude_defaults=True):
        changes["columns"] = ColumnNames(**chosen) if chosen else None
    return config.model_copy(update=changes)


def _shares(config: DataConfig) -> dict[str, Any]:
    """Shares of a random split, and its seed."""
    shares = []
    for part, ratio in zip(("Validation", "Test"), config.ratios[1:], strict=True):
        percent = st.number_input(
            f"{part}, % of the interactions",
            min_value=1,
            max_value=45,
            value=round(100 * ratio),
            help="Of a random split.",
            **_keep(config, part),
        )
        shares.append(percent / 100)
    seed = st.number_input(
        "Seed of a random split", min_value=0, value=config.split_seed, **_keep(config, "seed")
    )
    ratios = (round(1 - sum(shares), 10), *shares)
    return {"ratios": ratios, "split_seed": int(seed)}


def _keep(config: DataConfig, name: str) -> dict[str, Any]:
    return {"key": f"reading.{config.path}.{name}", "persist_state": "session"}
