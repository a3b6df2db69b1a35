"""Choosing a run, the same way on every page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from app import cached, state
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
    name = st.selectbox(
        label, list(entries), format_func=lambda n: describe(entries[n]), **state.keep(key)
    )
    return entries[name].run if name else None


def describe(entry: RunEntry) -> str:
    """Name, model and data of a run on one line.

    Streamlit writes this label into the address bar, so it holds only what never changes: no state.
    """
    if entry.record is None:
        return f"{entry.name} (broken)"
    config = entry.record.config
    facts = [config.model]
    if "alignment_weight" in config.hyperparameters:
        facts.append(f"alignment {config.hyperparameters['alignment_weight']:g}")
    facts.append(Path(config.data.path).stem)
    return f"{entry.name} · {' · '.join(facts)}"
