"""Choosing a run, the same way on every page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import streamlit as st

from app import cached, state
from app.shared.text import escape_markdown
from rednd_core.modeling.registry import CARDS, model_title
from rednd_core.runs import Run, RunEntry


def pick_run(
    label: str = "Run",
    key: str = state.RUN,
    *,
    allow: Callable[[RunEntry], bool] = lambda entry: entry.run.layer_version is not None,
) -> Run | None:
    """A select box of the runs that ``allow`` admits; without such a run, a line says what to do."""
    every = readable_runs()
    entries = {name: entry for name, entry in every.items() if allow(entry)}
    if not entries:
        st.info("There is no run to show yet. Train one on the page **Live training**.")
        return None
    asked = st.query_params.get(key)
    state.begin(key, entries, default_run(entries))
    if asked is not None and asked not in every:
        st.warning(
            f"The address asks for the run {escape_markdown(asked)}, which is not here; this is "
            f"{escape_markdown(st.session_state[key])}.",
            icon=":material/link_off:",
        )
    return run_box(label, entries, key)


def readable_runs() -> dict[str, RunEntry]:
    """The runs whose record can be read, by name."""
    return {
        entry.name: entry
        for entry in cached.run_entries()
        if entry.record is not None and not entry.problem
    }


def default_run(entries: Mapping[str, RunEntry]) -> str:
    """The newest own run; without one a bundled run of a plain graph model, which smooths most."""
    first = next(iter(entries))
    if not entries[first].run.bundled:
        return first
    return next((name for name, entry in entries.items() if _is_plain(entry)), first)


def _is_plain(entry: RunEntry) -> bool:
    """Whether the run is of a model that has nothing but a graph of ids."""
    card = CARDS.get(entry.record.config.model) if entry.record else None
    return card is not None and card.family == "id graph"


def run_box(
    label: str,
    entries: Mapping[str, RunEntry],
    key: str,
    *,
    none: Sequence[str] = (),
    help: str | None = None,
) -> Run | None:
    """A select box of run names, and below it the chosen run's model, data, and notices of its training.

    The options are plain names, because the address bar keeps the text of an option.

    Args:
        none: options before the runs that stand for no run.
    """
    state.drop_foreign(key, [*none, *entries])
    name = st.selectbox(
        label,
        [*none, *entries],
        index=None,
        placeholder="Choose a run",
        help=help,
        **state.keep(key),
    )
    if name is None or name not in entries:
        return None
    st.caption(escape_markdown(facts(entries[name])))
    run = entries[name].run
    for notice in cached.history(run).notices:
        st.info(escape_markdown(notice), icon=":material/lightbulb:")
    return run


def facts(entry: RunEntry) -> str:
    """Model and data of a run, on one line; its record must be readable."""
    assert entry.record is not None
    config = entry.record.config
    told = [model_title(config.model)]
    weight = cached.alignment_weight(entry.run)
    if weight is not None:
        told.append(f"alignment weight {weight}")
    return " · ".join([*told, Path(config.data.path).stem])
