"""Watch one run: its state, its weight slider and its charts, drawn anew every second."""

from __future__ import annotations

import streamlit as st

from app import cached, state
from app.components.text import escape_markdown
from app.components.training_actions import ALIGNMENT, sent_key, set_weight, show_problem
from app.components.training_charts import charts, choose_layers
from app.components.training_fields import weight_slider
from app.components.training_jobs import badge, buttons, progress
from app.sitemap import PAGES, go_to
from rednd_core.errors import RedndError
from rednd_core.runs import History, Run, RunRecord, StatusRecord

POLL_SECONDS = 1.0
LOG_LINES = 12


def watch(run: Run) -> None:
    """Draw the run; looked at anew every second until it is over."""
    live = run.status.is_live
    st.fragment(_watch, run_every=POLL_SECONDS if live else None)(run, live)


def _watch(run: Run, live: bool) -> None:
    try:
        record, status, history = run.record, run.status, cached.history(run)
        if status.is_live != live:
            st.rerun()  # begins or ends the polling
        show_problem()
        _head(run, record, status, history)
        left, right = st.columns(2)
        if status.is_live and f"{ALIGNMENT}_weight" in record.config.hyperparameters:
            with left:
                _weight(run, record, history)
        with right:
            measure, modality = choose_layers(record)
        if not live:
            _links(run)
        charts(run, record, history, measure, modality)
    except RedndError as error:  # a timer draws this part alone, outside the page's own guard
        st.error(escape_markdown(str(error)), icon=":material/error:")


def _head(run: Run, record: RunRecord, status: StatusRecord, history: History) -> None:
    """State, progress, the best so far and the buttons on one line; why it ended where it failed."""
    said = escape_markdown(progress(run, status))
    metric = record.config.training.select_by
    column = f"valid.{metric}"
    if column in history.epochs and status.best_epoch is not None:
        best = history.epochs.loc[history.epochs["epoch"] == status.best_epoch, column]
        if len(best):
            said += f" · best {metric} **{best.iloc[-1]:.4f}** (epoch {status.best_epoch:,})"
    with st.container(horizontal=True, vertical_alignment="center"):
        badge(status)
        st.markdown(said, width="stretch")
        buttons(run, status, place="watch")
    if status.state in ("failed", "lost"):
        _bad_end(run, status)


def _bad_end(run: Run, status: StatusRecord) -> None:
    if status.state == "failed":
        st.error(f"The training failed. {escape_markdown(status.message)}", icon=":material/error:")
    else:
        st.warning(
            "The training process was killed or its machine went down, without a word. What it had "
            f"written is here, and it can be resumed. {escape_markdown(status.message)}",
            icon=":material/heart_broken:",
        )
    if tail := run.log_tail(LOG_LINES):
        with st.expander("The last lines of its log", expanded=status.state == "failed"):
            st.code(tail, language=None)


def _weight(run: Run, record: RunRecord, history: History) -> None:
    """The slider of the living run, and when its last move was applied."""
    start = float(record.config.hyperparameters[f"{ALIGNMENT}_weight"])  # type: ignore[arg-type]
    changes = [
        event
        for event in history.events
        if event["event"] in ("set_weight", "refused") and event.get("loss") == ALIGNMENT
    ]
    applied = [event for event in changes if event["event"] == "set_weight"]
    in_force = float(applied[-1]["value"]) if applied else start
    sent = st.session_state.get(sent_key(run))
    answer = next((e for e in reversed(changes) if sent and e["time"] >= sent[1]), None)
    key = f"training.weight.{run.name}"
    # The slider is never moved from here: a value set while the reader's own is on its way would come
    # back as a second, unwanted move. What is in force, whoever set it, is said below it.
    weight_slider(
        "Alignment weight of the running training",
        key,
        start,
        *(float(event["value"]) for event in applied),
        value=in_force,  # of a new slider only; a drawn one keeps what the reader chose
        on_change=set_weight,
        args=(run, key),
        help="Takes effect with the next batch.",
    )
    if sent is not None and answer is None:
        st.caption(f":orange[**{sent[0]:g}** is sent and waits for the next batch …]")
    elif answer is not None and answer["event"] == "refused":
        st.caption(f":red[Refused: {escape_markdown(str(answer['message']))}]")
    elif applied:
        after = f", {answer['time'] - sent[1]:.1f} s after you moved it" if answer and sent else ""
        st.caption(
            f":green[**{in_force:g}** was applied in epoch **{applied[-1]['epoch'] + 1}**{after}.]"
        )
    else:
        st.caption(f"**{in_force:g}** since the start. Move it and watch the pink marks.")


def _links(run: Run) -> None:
    """The other pages, with this run chosen."""
    if run.layer_version is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("Look at this run on the page", width="content")
        for name in ("embeddings", "smoothness", "recommendations"):
            _, title, icon = PAGES[name]
            if st.button(title, key=f"training.open.{name}", icon=icon):
                st.session_state[state.RUN] = run.name
                go_to(name)
