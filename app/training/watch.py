"""Watch one run: its state, its weight slider and its charts, drawn anew every second."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app import cached, state
from app.shared.text import escape_markdown
from app.sitemap import PAGES, go_to
from app.training.actions import (
    ALIGNMENT,
    ahead_of,
    behind,
    sent_key,
    set_weight,
    show_problem,
    weight_events,
)
from app.training.charts import charts, choose_layers, show_charts, validated_users
from app.training.fields import weight_slider
from app.training.jobs import badge, buttons, progress
from rednd_core import wording
from rednd_core.errors import RedndError, storage_error
from rednd_core.runs import History, Run, RunRecord, StatusRecord

POLL_SECONDS = 1.0
ANSWER_SECONDS = 1.0  # for a moved weight; a trainer with longer batches answers at a later look
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
        if live and f"{ALIGNMENT}_weight" in record.config.hyperparameters:
            left, right = st.columns(2, vertical_alignment="bottom")
            with left:
                history = _weight(run, record, status, history)
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
    if tail := run.log_tail(LOG_LINES):
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


def _weight(run: Run, record: RunRecord, status: StatusRecord, history: History) -> History:
    """The slider of the living run, and what became of its last move.

    Returns:
        The history, with the answer to a move that was just made: the trainer answers between two
        batches, so waiting for it marks the move in the charts at once, not a look later.
    """
    start = float(record.config.hyperparameters[f"{ALIGNMENT}_weight"])  # type: ignore[arg-type]
    sent = st.session_state.get(sent_key(run))
    key = f"training.weight.{run.name}"
    applied = [float(event["value"]) for event in _moves(history) if _is_applied(event)]
    # The slider is never moved from here: a value set while the reader's own is on its way would come
    # back as a second, unwanted move. What is in force, whoever set it, is said below it.
    weight_slider(
        f"Alignment weight of the {status.state} training",
        key,
        start,
        *applied,
        value=applied[-1] if applied else start,  # of a new slider only
        on_change=set_weight,
        args=(run, key),
        help="Takes effect with the next batch.",
    )
    place = st.empty()
    while True:
        answer = _answer(history, sent)
        place.caption(_told(status, _moves(history), start, sent, answer))
        waits = sent is not None and answer is None and time.time() < sent[1] + ANSWER_SECONDS
        if not waits or run.status.state != "running":
            return history
        time.sleep(LOOK_SECONDS)  # a further move ends this: the caption above notices it
        history = cached.history(run)


def _moves(history: History) -> list[Mapping[str, Any]]:
    return [event for event in weight_events(history) if event["loss"] == ALIGNMENT]


def _is_applied(event: Mapping[str, Any]) -> bool:
    return bool(event["event"] == "set_weight")


def _answer(history: History, sent: tuple[float, float] | None) -> Mapping[str, Any] | None:
    """The last event since (value, time) was sent from this tab."""
    return next((e for e in reversed(_moves(history)) if sent and e["time"] >= sent[1]), None)


def _told(
    status: StatusRecord,
    moves: Sequence[Mapping[str, Any]],
    start: float,
    sent: tuple[float, float] | None,
    answer: Mapping[str, Any] | None,
) -> str:
    """The weight in force, or the one that is on its way, in Markdown."""
    if sent is not None and answer is None:
        return f":orange[**{sent[0]:g}** is sent and waits for the next batch …]"
    applied = [event for event in moves if _is_applied(event)]
    if not applied and status.state == "queued":
        return f"**{start:g}** when its turn comes. You can move it already."
    if not applied:
        return f"**{start:g}** since the start. Move it and watch the pink marks."
    last = applied[-1]
    after = ""
    if sent is not None and answer is not None and _is_applied(answer):
        after = f", {answer['time'] - sent[1]:.1f} s after you moved it"
    return f":green[**{last['value']:g}** was applied in epoch **{last['epoch'] + 1}**{after}.]"


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
