"""The page Live training: start runs, watch them, and move the alignment weight while they train."""

from __future__ import annotations

from collections.abc import Collection

import streamlit as st

from app import cached, exposure, state
from app.shared.errors import explained
from app.shared.text import escape_markdown
from app.training.actions import WATCH_NEXT, show_problem
from app.training.form import start_form
from app.training.jobs import job_list
from app.training.manage import DELETED, manage_runs
from app.training.watch import watch
from rednd_core.runs import RunEntry

FORM_OPEN = "train.open"
SEEN_LIVE = "training.seen_live"  # a run trained while this tab was here
GONE = "training.gone"  # the run that was wanted and is not there, until another one is chosen
LIVE = "training-live"
# A busy machine redraws late, and Streamlit fades what waits to be redrawn: here that is all there is
# to see, and none of it is out of date by more than a second.
NEVER_FADED = f".st-key-{LIVE} [data-stale=true] {{ opacity: 1; transition: none; }}"


@explained
def render() -> None:
    """Draw the page. What is closed is not built: a lecture room's laptop has a training to run."""
    st.title("Live training")
    show_problem()
    entries = [entry for entry in cached.run_entries() if entry.record and entry.status]
    live = [entry for entry in entries if entry.status and entry.status.is_live]
    if live:
        st.session_state[SEEN_LIVE] = True
    first_visit = SEEN_LIVE not in st.session_state  # else the end of a run would move its charts
    if first_visit:
        st.markdown(
            "Train a model and look on. **Move the alignment weight while it trains**: the losses, "
            "the validation, the smoothness of every layer and the picture of the layers follow "
            "within about two seconds. Training is a process of its own: close the tab, come back, "
            "it goes on."
        )
    follow = st.session_state.pop(WATCH_NEXT, None)
    if follow:
        st.session_state[FORM_OPEN] = False
    st.session_state.setdefault(FORM_OPEN, first_visit)
    form = st.expander(
        "Start a new training",
        key=FORM_OPEN,
        on_change="rerun",
        icon=":material/play_circle:",
    )
    st.html(f"<style>{NEVER_FADED}</style>")
    with st.container(key=LIVE):
        others = st.container()
        chosen = _pick(entries, live, follow)
        with others:
            job_list(entries, watched=chosen.name if chosen else None)
        if chosen is not None:
            watch(chosen.run)
    if not exposure.is_public():
        manage = st.expander(
            "Manage runs: delete, export, import",
            key="manage.open",
            on_change="rerun",
            icon=":material/folder_managed:",
        )
        if manage.open:
            with manage:
                manage_runs()
    if form.open:  # last, as the first one of a server waits for torch
        with form:
            start_form()


def _pick(entries: list[RunEntry], live: list[RunEntry], follow: str | None) -> RunEntry | None:
    """The run to watch: ``follow``, or the one that was chosen, or the one that trains."""
    if not entries:
        st.info("There is no run yet. Start a training above.")
        return None
    ordered = live + [entry for entry in entries if entry not in live]
    by_name = {entry.name: entry for entry in ordered}
    _note_gone(by_name)
    if follow in by_name:
        st.session_state[state.JOB] = follow
        _forget_gone()
    state.begin(state.JOB, by_name, ordered[0].name)
    _say_gone(by_name, st.session_state[state.JOB])
    # Plain names: the label is what the address bar keeps.
    name = st.selectbox(
        "Run to watch",
        list(by_name),
        index=None,
        placeholder="Choose a run",
        on_change=_forget_gone,
        **state.keep(state.JOB),
    )
    # None where the browser's Back leads to an address without a run.
    return None if name is None else by_name[name]


def _note_gone(options: Collection[str]) -> None:
    """Remember a run that was chosen, here or in the address, and is not there."""
    wanted = (st.session_state.get(state.JOB), st.query_params.get(state.JOB))
    if gone := next((name for name in wanted if name and name not in options), None):
        st.session_state[GONE] = gone


def _forget_gone() -> None:
    st.session_state.pop(GONE, None)


def _say_gone(options: Collection[str], shown: str) -> None:
    gone = st.session_state.get(GONE)
    if gone and gone not in options:
        why = "was deleted" if gone == st.session_state.get(DELETED) else "is not here (any more)"
        st.warning(
            f"The run **{escape_markdown(gone)}** {why}; this is **{escape_markdown(shown)}**.",
            icon=":material/link_off:",
        )
