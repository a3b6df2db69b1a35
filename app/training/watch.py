"""One watched run: its state, the sliders of its weights and its charts, drawn anew every second."""

from __future__ import annotations

import time
from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import cached, exposure, state
from app.shared.text import escape_markdown
from app.sitemap import PAGES, go_to
from app.training.actions import ahead_of, behind, show_problem
from app.training.charts import charts, choose_layers, show_charts, validated_users
from app.training.jobs import badge, buttons, progress
from app.training.twins import replay_link
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


def watch(runs: Sequence[Run], controls: Sequence[DeltaGenerator]) -> None:
    """Draw one run, or two side by side, each with its own sliders, again every second until it is over.

    Args:
        controls: two places, for the measure and the modality of all charts.
    """
    for run in runs:
        _leave_deleted(run)
    records = [run.record for run in runs]
    described = next((record for record in records if record.model), records[0])
    shown = choose_layers(described, *controls)
    if len(runs) == 1:
        _live(runs[0], shown, alone=True)
        return
    replay_link(runs)
    for column, run in zip(st.columns(len(runs), gap="medium"), runs, strict=True):
        with column:
            st.markdown(f"**{escape_markdown(run.name)}**")
            _live(run, shown, alone=False)


def _live(run: Run, shown: tuple[str, str | None], *, alone: bool) -> None:
    live = run.status.is_live
    st.fragment(_watch, run_every=POLL_SECONDS if live else None)(run, live, shown, alone)


def _leave_deleted(run: Run) -> None:
    """Let the page choose another run if this one was deleted, for example in another window."""
    if not run.layout.config.exists():
        cached.run_entries.clear()
        st.rerun()


def _watch(run: Run, live: bool, shown: tuple[str, str | None], alone: bool) -> None:
    """Draw one run.

    Args:
        shown: the measure and the modality. alone: no other run is beside it.
    """
    try:
        record, status, history = run.record, run.status, cached.history(run)
        if status.is_live != live:
            st.rerun()  # The whole page begins or ends to look every second.
        if shown[1] is None and record.model is not None:
            st.rerun()  # The model is built by now, so there are modalities to choose from.
        show_problem()
        # There are always three places, because the browser builds all charts anew when a place is added
        # above them.
        head, refused, links = st.container(), st.container(), st.container()
        if not live and alone:
            with links:
                _links(run)
        weights = live_weights(run, record) if live and exposure.may_steer(run.name) else []
        sliders = st.columns(len(weights), vertical_alignment="bottom") if weights else []
        history = _weights(weights, sliders, run, status, history)
        if live:
            with refused:
                _refusal(history)
        if status.state != "running" and history.epochs.empty and run.layer_version is None:
            with head:  # A chart would say that the first epoch is on its way, which is not so.
                _head(run, record, status, history, None)
            return
        measure, modality = shown
        if record.model is None or modality not in record.model.modalities:
            modality = None
        n_validated = validated_users(run, record)
        try:
            drawn = charts(run, record, history, measure, modality, n_validated)
        finally:  # Words that are sent before the figures would tell of an epoch that is not drawn yet.
            with head:
                _head(run, record, status, history, n_validated)
        show_charts(run, drawn, side_by_side=not alone)
    except (RedndError, OSError) as error:  # The page's own guard does not see what a timer draws.
        _leave_deleted(run)
        told = storage_error(error) if isinstance(error, OSError) else error
        st.error(escape_markdown(str(told)), icon=":material/error:")


def _head(
    run: Run, record: RunRecord, status: StatusRecord, history: History, n_validated: int | None
) -> None:
    """State, progress, best result and buttons on one line; the reason, if the training ended badly."""
    bad_end = status.state in ("failed", "lost")  # _bad_end shows the message of these states.
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
            said += (  # A line of its own leaves room for the buttons beside the first line.
                f"  \nBest validation {metric} **{wording.metric(best.iloc[-1])}** "
                f"(epoch {status.best_epoch:,}{users})"
            )
    with st.container(horizontal=True, vertical_alignment="center"):
        badge(status)
        st.markdown(said, width="stretch")
        buttons(run, status, place="watch")
    for notice in history.notices:
        st.info(escape_markdown(notice), icon=":material/lightbulb:")
    if bad_end:
        _bad_end(run, status)


def _turn(run: Run) -> str:
    """What a queued run waits for, in Markdown."""
    ahead = ahead_of(run.name, cached.run_entries())
    if not ahead:
        return "Starting …"
    first, status = ahead[0].run, ahead[0].status
    said = f"Queued {behind(ahead)}"
    if status is None or status.state == "queued":  # The first one is about to start.
        return said
    return f"{said}, which is {status.state} · {escape_markdown(progress(first, status))}"


def _bad_end(run: Run, status: StatusRecord) -> None:
    if status.state == "failed":
        st.error(f"The training failed. {escape_markdown(status.message)}", icon=":material/error:")
    else:
        st.warning(
            "The training process was killed, or its machine went down. Everything that the process had "
            f"saved is here, and the training can be resumed. {escape_markdown(status.message)}",
            icon=":material/heart_broken:",
        )
    # A log names folders of the machine, which strangers need not know.
    if not exposure.is_public() and (tail := run.log_tail(LOG_LINES)):
        with st.expander("The last lines of the log", expanded=status.state == "failed"):
            st.code(tail, language=None)


def _refusal(history: History) -> None:
    """The last command about a weight, if the trainer refused it; from any window."""
    last = next(iter(reversed(weight_events(history))), None)
    if last is not None and last["event"] == "refused":
        st.warning(
            f"Epoch {last['epoch'] + 1:,}: setting the weight of the loss "
            f"{escape_markdown(last['loss'])} to {last['value']:g} was refused. The training goes on "
            f"as before. {escape_markdown(last['message'])}",
            icon=":material/block:",
        )


def _weights(
    weights: Sequence[LiveWeight],
    columns: Sequence[DeltaGenerator],
    run: Run,
    status: StatusRecord,
    history: History,
) -> History:
    """The sliders of a run that is queued, running or paused, and what became of their last moves.

    Returns:
        The history, with the answer to a move that was just made. The trainer answers between two
        batches; waiting for the answer marks the move in the charts at once, not a second later.
    """
    places = []
    for weight, column in zip(weights, columns, strict=True):
        with column:
            weight_slider(weight, history)
            places.append(st.empty())
    while True:
        for weight, place in zip(weights, places, strict=True):
            place.caption(told(weight, status, history))
        waiting = any(waits(weight, history) for weight in weights)
        if not waiting or run.status.state != "running":
            return history
        time.sleep(LOOK_SECONDS)  # The next caption notices a further move, which ends this loop.
        history = cached.history(run)


def _links(run: Run) -> None:
    """Links to the other pages, with this run chosen. A row of its own keeps the words on one line."""
    if run.layer_version is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="training-links"):
        st.markdown("Look at this run on the page", width="content")
        for name in ("embeddings", "smoothness", "recommendations"):
            _, title, icon = PAGES[name]
            if st.button(title, key=f"training.open.{name}", icon=icon):
                st.session_state[state.RUN] = run.name
                go_to(name)
