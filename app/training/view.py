"""The page Live training: start a training, watch it, and move the weights of its losses meanwhile."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import streamlit as st

from app import cached, exposure, state
from app.shared.errors import explained
from app.shared.text import escape_markdown
from app.training.actions import WATCH_NEXT, show_problem
from app.training.form import start_form
from app.training.jobs import job_list
from app.training.manage import DELETED, manage_runs
from app.training.twins import NONE, choose_beside
from app.training.watch import watch
from rednd_core.runs import RunEntry

FORM_OPEN = "train.open"
SEEN_LIVE = "training.seen_live"  # whether a run trained while this window was open
FOLLOWED = "training.run_a"  # the run A that this page has seen last
GONE = "training.gone"  # a run that was asked for and is not there, until another one is chosen
LIVE = "training-live"
# Streamlit fades whatever waits to be drawn again. On this page that is everything, every second, although
# nothing on it is more than a second old.
NEVER_FADED = f".st-key-{LIVE} [data-stale=true] {{ opacity: 1; transition: none; }}"


@explained
def render() -> None:
    """Draw the page. Closed parts are not built: the processor time belongs to the training."""
    st.title("Live training")
    show_problem()
    entries = [entry for entry in cached.run_entries() if entry.record and entry.status]
    live = [entry for entry in entries if entry.status and entry.status.is_live]
    if live:
        st.session_state[SEEN_LIVE] = True
    # The introduction does not come back when a training ends: it would push the charts down.
    first_visit = SEEN_LIVE not in st.session_state
    if first_visit:
        st.caption(
            "Train a model and watch it learn: **move the weight of a loss while it trains**, and the layers "
            "follow."
        )
    follow, beside = st.session_state.pop(WATCH_NEXT, (None, None))
    if follow and beside is None:
        st.session_state[state.BESIDE] = NONE
    if follow:
        st.session_state[FORM_OPEN] = False
    st.session_state.setdefault(FORM_OPEN, not entries)
    form = st.expander(
        "Start a new training",
        key=FORM_OPEN,
        on_change="rerun",
        icon=":material/play_circle:",
    )
    st.html(f"<style>{NEVER_FADED}</style>")
    with st.container(key=LIVE):
        others = st.container()
        left, right, *controls = st.columns([3, 3, 2, 2])
        with left:
            chosen = _pick(entries, live, follow)
        other = None
        if chosen is not None:
            with right:
                other = choose_beside(entries, chosen, beside)
        with others:
            watched = [chosen.name] if chosen else []
            job_list(entries, watched=[*watched, other.name] if other else watched)
        if chosen is not None:
            watch([chosen.run, *([other] if other else [])], controls)
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
    if (
        form.open
    ):  # The form comes last because the first form of a server waits until torch is loaded.
        with form:
            start_form()


def _pick(entries: list[RunEntry], live: list[RunEntry], follow: str | None) -> RunEntry | None:
    """The run to watch: ``follow``, else the run that was chosen, else the run that trains."""
    if not entries:
        st.info("There is no run yet. Start a training above.")
        return None
    ordered = live + [entry for entry in entries if entry not in live]
    by_name = {entry.name: entry for entry in ordered}
    _note_gone(by_name)
    if follow in by_name:
        st.session_state[state.JOB] = follow
        _forget_gone()
    _follow_run_a(by_name, live)
    # Without a training that runs, the newest run with layers has the most to show.
    whole = [entry for entry in ordered if entry in live or entry.run.layer_version is not None]
    state.begin(state.JOB, by_name, (whole or ordered)[0].name)
    _say_gone(by_name, st.session_state[state.JOB])
    # The options are plain names, because the address bar keeps the text of an option.
    name = st.selectbox(
        "Run to watch",
        list(by_name),
        index=None,
        placeholder="Choose a run",
        on_change=_take,
        args=(by_name,),
        **state.keep(state.JOB),
    )
    # The name is None if the browser's Back leads to an address without a run.
    return None if name is None else by_name[name]


def _follow_run_a(by_name: Mapping[str, RunEntry], live: Collection[RunEntry]) -> None:
    """Watch the run A that was chosen on another page meanwhile, unless a run trains."""
    chosen = st.session_state.get(state.RUN)
    if chosen in by_name and chosen != st.session_state.get(FOLLOWED) and not live:
        st.session_state[state.JOB] = chosen
    st.session_state[FOLLOWED] = chosen


def _take(by_name: Mapping[str, RunEntry]) -> None:
    """The watched run is run A of the other pages, as soon as it has layers to show."""
    name = st.session_state[state.JOB]
    if name in by_name and by_name[name].run.layer_version is not None:
        st.session_state[state.RUN] = st.session_state[FOLLOWED] = name
    _forget_gone()


def _note_gone(options: Collection[str]) -> None:
    """Remember a run that was asked for, here or in the address, and is not there."""
    wanted = (st.session_state.get(state.JOB), st.query_params.get(state.JOB))
    if gone := next((name for name in wanted if name and name not in options), None):
        st.session_state[GONE] = gone


def _forget_gone() -> None:
    st.session_state.pop(GONE, None)


def _say_gone(options: Collection[str], shown: str) -> None:
    gone = st.session_state.get(GONE)
    if gone and gone not in options:
        why = "was deleted" if gone == st.session_state.get(DELETED) else "is not here"
        st.warning(
            f"The run **{escape_markdown(gone)}** {why}; this is **{escape_markdown(shown)}**.",
            icon=":material/link_off:",
        )
