"""Choosing a run, the same way on every page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import streamlit as st

from app import cached, state
from app.components.text import escape_markdown
from rednd_core.runs import Run, RunEntry


def pick_run(
    label: str = "Run",
    key: str = state.RUN,
    *,
    allow: Callable[[RunEntry], bool] = lambda entry: entry.run.layer_version is not None,
) -> Run | None:
    """A select box of the runs that ``allow`` admits; says what to do where there is none."""
    entries = {
        entry.name: entry
        for entry in cached.run_entries()
        if entry.record is not None and allow(entry)
    }
    if not entries:
        st.info("There is no run to show yet. Train one on the page **Live training**.")
        return None
    return run_box(label, entries, key)


def run_box(
    label: str,
    entries: Mapping[str, RunEntry],
    key: str,
    *,
    none: Sequence[str] = (),
    index: int | None = 0,
    help: str | None = None,
) -> Run | None:
    """A select box of run names, and below it what the chosen run is.

    Plain names, as the address bar keeps what the options are called.

    Args:
        none: options before the runs that stand for no run.
        index: of the first choice; None for nothing chosen.
    """
    state.drop_foreign(key, [*none, *entries])
    name = st.selectbox(
        label,
        [*none, *entries],
        index=index,
        placeholder="Choose a run",
        help=help,
        **state.keep(key),
    )
    if name not in entries:
        return None
    st.caption(escape_markdown(facts(entries[name])))
    return entries[name].run


def facts(entry: RunEntry) -> str:
    """Model and data of a run that can be read, on one line."""
    assert entry.record is not None
    config = entry.record.config
    told = [config.model]
    if "alignment_weight" in config.hyperparameters:
        told.append(f"alignment weight {config.hyperparameters['alignment_weight']:g}")
    return " · ".join([*told, Path(config.data.path).stem])
