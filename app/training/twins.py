"""Twins: two trainings that differ in one weight alone, started and watched side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from app import cached, exposure, state
from app.shared.text import escape_markdown
from app.sitemap import go_to
from app.training.fields import label_of, weight_options
from rednd_core.modeling.registry import ModelCard, weight_setting
from rednd_core.runs import Run, RunEntry

NONE = "none"  # as the address has it


def choose_twin(card: ModelCard, fields: Any, settings: dict[str, Any]) -> float | None:
    """The weight of the twin; None for one training alone."""
    if (
        not card.live or exposure.is_public()
    ):  # A visitor of a public app may have one training at a time.
        return None
    setting = weight_setting(card.live[0])
    field, own = fields[setting], float(settings[setting])
    if not st.toggle(
        "Train twins: a second run with another weight, the same seed and the same batches",
        key="train.twins",
        persist_state="session",
    ):
        return None
    options = [weight for weight in weight_options(field, 0.0) if weight != own]
    first = 0.0 if own else 0.1
    return float(
        st.select_slider(
            f"{label_of(setting, field)} of the twin at the start",
            options,
            value=first if first in options else options[0],
            format_func=lambda weight: f"{weight:g}",
            key=f"train.twin.{card.name}.{own:g}",
            persist_state="session",
            help="Both are ordinary runs and train at the same time. Beside another training one of them "
            "waits.",
        )
    )


def twin_names(stem: str, loss: str, weights: Sequence[float]) -> list[str]:
    """The names of twins say in which weight they differ: ``demo-alignment-0``, ``demo-alignment-0.1``."""
    return [f"{stem}-{loss}-{weight:g}" for weight in weights]


def choose_beside(entries: Sequence[RunEntry], watched: RunEntry, follow: str | None) -> Run | None:
    """A select box of the runs that can be watched beside ``watched``."""
    others = {entry.name: entry.run for entry in entries if entry.name != watched.name}
    if follow in others:
        st.session_state[state.BESIDE] = follow
    state.begin(state.BESIDE, (NONE, *others), NONE)
    name = st.selectbox(
        "Beside it",
        [NONE, *others],
        index=None,
        placeholder="No second run",
        help="A second run, for example the twin of the first.",
        **state.keep(state.BESIDE),
    )
    return others.get(name) if name else None


def replay_link(runs: Sequence[Run]) -> None:
    """A button to the page Depth, where both trainings are replayed in lockstep."""
    digests = {run.record.data_digest for run in runs}
    kept = [run.snapshots() for run in runs]
    if len(digests) > 1 or any(each is None or not each.epochs for each in kept):
        return
    if st.button(
        f"Replay {escape_markdown(' and '.join(run.name for run in runs))} over their epochs",
        icon=":material/replay:",
        key="training.replay",
    ):
        st.session_state[state.RUN], st.session_state[state.OTHER_RUN] = (r.name for r in runs)
        st.session_state[state.OVER] = state.OVER_EPOCHS
        cached.run_entries.clear()
        go_to("depth")
