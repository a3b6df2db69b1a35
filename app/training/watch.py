"""Watch one run: its state, its weight slider and its charts, drawn anew every second."""

from __future__ import annotations

import time
from collections.abc import Sequence

import streamlit as st

from app import cached, exposure, state
from app.shared.text import escape_markdown
from app.sitemap import PAGES, go_to
from app.training.actions import ahead_of, behind, show_problem
from app.training.charts import charts, choose_layers, show_charts, validated_users
from app.training.jobs import badge, buttons, progress
from app.training.weights import (
    LiveWeight,
    live_weights,
    told,
    waits,
    weight_events,
    weight_slider,
)
from rednd_core import wording
from rednd_core.errors import RedndError, storage_error
from rednd_core.runs import History, Run, RunRecord, StatusRecord

POLL_SECONDS = 1.0
LOOK_SECONDS = 0.05
LOG_LINES = 12


def watch(run: Run) -> None:
    """Draw the run; looked at anew every second until it is over."""
    _leave_deleted(run)
    live = run.status.is_live
    st.fragment(_watch, run_every=POLL_SECONDS if live else None)(run, live)


def _leave_deleted(run: Run) -> None:
    """Let the page choose another run where this one was deleted, e.g. in another tab."""
    if not run.layout.config.exists():
        cached.run_entries.clear()
        st.rerun()


def _watch(run: Run, live: bool) -> None:
    try:
        record, status, history = run.record, run.status, cached.history(run)
        if status.is_live != live:
            st.rerun()  # begins or ends the polling
        show_problem()
        head, refused = st.container(), st.container()
        if not live:
            _links(run)
        if live and (weights := live_weights(run, record)):
            left, right = st.columns(2, vertical_alignment="bottom")
            with left:
                history = _weights(weights, run, status, history)
        else:
            right = st.container()
        if live:
            with refused:
                _refusal(history)
        if status.state != "running" and history.epochs.empty and run.layer_version is None:
            with head:  # and no chart that says its first epoch is on its way
                _head(run, record, status, history, None)
            return
        with right:
            measure, modality = choose_layers(record)
        n_validated = validated_users(run, record)
        try:
            drawn = charts(run, record, history, measure, modality, n_validated)
        finally:  # words sent ahead of the figures would tell of an epoch that is not drawn yet
            with head:
                _head(run, record, status, history, n_validated)
        show_charts(run, drawn)
    except (
        RedndError,
        OSError,
    ) as error:  # a timer draws this part alone, outside the page's own guard
        _leave_deleted(run)
        told = storage_error(error) if isinstance(error, OSError) else error
        st.error(escape_markdown(str(told)), icon=":material/error:")


def _head(
    run: Run, record: RunRecord, status: StatusRecord, history: History, n_validated: int | None
) -> None:
    """State, progress, the best so far and the buttons on one line; why it ended where it failed."""
    bad_end = status.state in ("failed", "lost")  # its message stands below
    said = f"Epoch {status.epoch:,} of {record.config.training.epochs:,}"
    if status.state == "queued":
        said = _turn(run)
    elif not bad_end:
        said = escape_markdown(progress(run, status))
    metric = record.config.training.select_by
    column = f"valid.{metric}"
    if column in history.epochs and status.best_epoch is not None:
        best = history.epochs.loc[history.epochs["epoch"] == status.best_epoch, column]
        if len(best):
            users = f", {n_validated:,} users" if n_validated else ""
            said += (  # on a line of its own: the buttons would no longer fit beside it
                f"  \nBest validation {metric} **{wording.metric(best.iloc[-1])}** "
                f"(epoch {status.best_epoch:,}{users})"
            )
    with st.container(horizontal=True, vertical_alignment="center"):
        badge(status)
        st.markdown(said, width="stretch")
        buttons(run, status, place="watch")
    if bad_end:
        _bad_end(run, status)


def _turn(run: Run) -> str:
    """What a queued run waits for, in Markdown."""
    ahead = ahead_of(run.name, cached.run_entries())
    if not ahead:
        return "Starting …"
    first, status = ahead[0].run, ahead[0].status
    said = f"Queued {behind(ahead)}"
    if status is None or status.state == "queued":  # it is about to start
        return said
    return f"{said}, which is {status.state} · {escape_markdown(progress(first, status))}"


def _bad_end(run: Run, status: StatusRecord) -> None:
    if status.state == "failed":
        st.error(f"The training failed. {escape_markdown(status.message)}", icon=":material/error:")
    else:
        st.warning(
            "The training process was killed or its machine went down, without a word. What it had "
            f"written is here, and it can be resumed. {escape_markdown(status.message)}",
            icon=":material/heart_broken:",
        )
    # A log names folders of the machine, which strangers need not know.
    if not exposure.is_public() and (tail := run.log_tail(LOG_LINES)):
        with st.expander("The last lines of its log", expanded=status.state == "failed"):
            st.code(tail, language=None)


def _refusal(history: History) -> None:
    """The last command about a weight where the training could not follow it, whoever sent it."""
    last = next(iter(reversed(weight_events(history))), None)
    if last is not None and last["event"] == "refused":
        st.warning(
            f"Epoch {last['epoch'] + 1:,}: setting the weight of the loss "
            f"{escape_markdown(last['loss'])} to {last['value']:g} was refused, the training goes on "
            f"as before. {escape_markdown(last['message'])}",
            icon=":material/block:",
        )


def _weights(
    weights: Sequence[LiveWeight], run: Run, status: StatusRecord, history: History
) -> History:
    """The sliders of the living run, and what became of their last moves.

    Returns:
        The history, with the answer to a move that was just made: the trainer answers between two
        batches. Waiting for the answer marks the move in the charts at once, not a second later.
    """
    if not exposure.may_steer(run.name):
        return history
    places = []
    for weight in weights:
        weight_slider(weight, status, history)
        places.append(st.empty())
    while True:
        for weight, place in zip(weights, places, strict=True):
            place.caption(told(weight, status, history))
        waiting = any(waits(weight, history) for weight in weights)
        if not waiting or run.status.state != "running":
            return history
        time.sleep(LOOK_SECONDS)  # a further move interrupts this at the next caption
        history = cached.history(run)


def _links(run: Run) -> None:
    """The other pages, with this run chosen; a row of its own, so that nothing breaks off."""
    if run.layer_version is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="training-links"):
        st.markdown("Look at this run on the page", width="content")
        for name in ("embeddings", "smoothness", "recommendations"):
            _, title, icon = PAGES[name]
            if st.button(title, key=f"training.open.{name}", icon=icon):
                st.session_state[state.RUN] = run.name
                go_to(name)
