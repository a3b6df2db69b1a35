"""Over epochs: what the page says where a run keeps no snapshots."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app import state
from app.shared.context import comparable, runs_with_layers
from app.shared.text import escape_markdown
from rednd_core.runs import Run


def has_snapshots(run: Run) -> bool:
    found = run.snapshots()
    return found is not None and bool(found.epochs)


def without_snapshots(runs: Sequence[Run]) -> None:
    """Say which run keeps none, and offer a run that does, with its twin if it has one."""
    missing = " and ".join(f"**{escape_markdown(r.name)}**" for r in runs if not has_snapshots(r))
    st.info(
        f"There is nothing to replay: {missing} has no snapshots of its training. Every new training "
        "keeps some.",
        icon=":material/history_toggle_off:",
    )
    names = [entry.name for entry in runs_with_layers().values() if has_snapshots(entry.run)]
    if not names:
        return
    twins = [e.name for e in comparable(runs_with_layers()[names[0]].run) if e.name in names]
    offered = (names[0], *twins[:1])
    st.button(
        f"Replay {escape_markdown(' beside '.join(offered))}",
        icon=":material/replay:",
        on_click=_show,
        args=offered,
    )


def _show(run: str, other: str | None = None) -> None:
    st.session_state[state.RUN] = run
    if other is not None:
        st.session_state[state.OTHER_RUN] = other
