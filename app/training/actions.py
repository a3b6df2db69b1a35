"""What the buttons of the training page do. A refusal becomes a sentence on the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from app import cached
from app.shared.text import escape_markdown
from rednd_core.errors import RedndError, refusals
from rednd_core.jobs.queue import n_slots, turn
from rednd_core.runs import Command, Run, RunEntry, send
from rednd_core.runs.command import CommandName

WATCH_NEXT = "training.watch_next"  # the runs that the next drawing of the page selects
PROBLEM = "training.problem"


def attempt(action: Callable[..., object], *args: Any) -> None:
    """Call ``action``; keep its refusal for :func:`show_problem`, and read the list of runs again."""
    try:
        with refusals():
            action(*args)
    except RedndError as error:
        st.session_state[PROBLEM] = str(error)
    cached.run_entries.clear()


def show_problem() -> None:
    """Show why the last button was refused, once."""
    if problem := st.session_state.pop(PROBLEM, None):
        st.error(escape_markdown(problem), icon=":material/error:")


def command(run: Run, name: CommandName) -> None:
    """Send a command without a value."""
    attempt(send, run, Command(command=name))


def watch_next(name: str, beside: str | None = None) -> None:
    """Watch this run from the next drawing of the page on, with another run beside it."""
    st.session_state[WATCH_NEXT] = (name, beside)


def ahead_of(name: str, entries: Sequence[RunEntry]) -> list[RunEntry]:
    """The runs that the queued run ``name`` waits for, in their order; none if it starts now."""
    own = {
        entry.name: entry
        for entry in entries
        # A run without job.json was started from a command line and does not use the queue.
        if entry.status and entry.status.is_live and entry.run.layout.job.exists()
    }
    if name not in own:
        return []

    def place(entry: RunEntry) -> tuple[bool, tuple[float, str]]:
        assert entry.status is not None
        return entry.status.state == "queued", turn(entry.status, entry.name)

    before = [entry for entry in own.values() if place(entry) < place(own[name])]
    is_queued, _ = place(own[name])
    return sorted(before, key=place) if is_queued and len(before) >= n_slots() else []


def behind(ahead: Sequence[RunEntry]) -> str:
    """What a run is queued behind, in Markdown."""
    first, *others = ahead
    more = f" and {len(others)} more" if others else ""
    return f"behind **{escape_markdown(first.name)}**{more}"
