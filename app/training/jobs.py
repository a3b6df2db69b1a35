"""The list of trainings: queued, running and over, with the buttons that each state allows."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Sequence

import streamlit as st

from app import cached, exposure
from app.shared.text import escape_markdown
from app.training.actions import PROBLEM, attempt, command, watch_next
from rednd_core import jobs
from rednd_core.runs import ControlReader, History, Run, RunEntry, StatusRecord
from rednd_core.wording import duration

POLL_SECONDS = 2.0
ANSWER_SECONDS = 10.0  # A trainer that lets a command wait longer than this does not answer.
RECENT = 4  # how many trainings that are over the list has
LOOK_BACK = 10  # epochs whose median time is the pace
BADGES = {
    "queued": ("gray", "hourglass_empty"),
    "running": ("green", "directions_run"),
    "paused": ("orange", "pause"),
    "finished": ("violet", "check"),
    "stopped": ("blue", "stop"),
    "failed": ("red", "error"),
    "lost": ("red", "heart_broken"),
    "imported": ("blue", "download"),
}
RESUMABLE = ("stopped", "failed", "lost")


def job_list(entries: Sequence[RunEntry], watched: Collection[str]) -> None:
    """The trainings in the queue, and the latest that are over; the watched ones have their own places."""
    own = [entry for entry in entries if not entry.run.bundled]
    live = [entry.name for entry in own if entry.status and entry.status.is_live]
    over = [entry.name for entry in own if entry.name not in (*live, *watched)][:RECENT]
    if own:
        every = POLL_SECONDS if live else None
        # The oldest training comes first, as in the queue.
        st.fragment(_rows, run_every=every)(tuple(reversed(live)), tuple(over), tuple(watched))


def _rows(live: tuple[str, ...], over: tuple[str, ...], watched: tuple[str, ...]) -> None:
    entries = {entry.name: entry for entry in cached.run_entries()}
    now_live = {
        n for n, e in entries.items() if e.status and e.status.is_live and not e.run.bundled
    }
    if now_live != set(live):
        st.rerun()  # A training has started or ended, so the whole page looks different.
    for name in live:
        if name not in watched:
            _row(entries[name])
    known = [entries[name] for name in over if name in entries]
    if known:
        closed = st.expander(_over_label(known), key="jobs.over", on_change="rerun")
        if closed.open:
            with closed:
                for entry in known:
                    _row(entry)


def _over_label(entries: Sequence[RunEntry]) -> str:
    """The number of trainings, and of those that ended badly, because the list is closed at first."""
    states = Counter(entry.status.state for entry in entries if entry.status)
    bad = [f"{states[state]} {state}" for state in ("failed", "lost") if states[state]]
    return f"Trainings that are over ({', '.join([f'{len(entries)} latest', *bad])})"


def _row(entry: RunEntry) -> None:
    status = entry.status
    if status is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", key=f"job-{entry.name}"):
        badge(status)
        st.markdown(f"**{escape_markdown(entry.name)}**", width="content")
        st.caption(escape_markdown(progress(entry.run, status)), width="stretch")
        if st.button("Watch", key=f"watch.{entry.name}", icon=":material/visibility:"):
            watch_next(entry.name)
            st.rerun()
        buttons(entry.run, status, place="list")


def badge(status: StatusRecord) -> None:
    """Show the state as a coloured word."""
    color, icon = BADGES[status.state]
    st.badge(status.state, color=color, icon=f":material/{icon}:")  # type: ignore[arg-type]


def buttons(run: Run, status: StatusRecord, *, place: str) -> None:
    """The buttons that the state allows; ``place`` tells the keys of two rows apart."""
    if not exposure.may_steer(run.name):
        return
    actions = {
        "queued": ("stop",),
        "running": ("pause", "stop"),
        "paused": ("resume", "stop"),
    }
    icons = {"pause": "pause", "resume": "play_arrow", "stop": "stop"}
    for action in actions.get(status.state, ()):
        st.button(
            action.title(),
            key=f"{place}.{action}.{run.name}",
            icon=f":material/{icons[action]}:",
            on_click=command,
            args=(run, action),
        )
    if status.is_live and does_not_answer(run):
        st.button(
            "Kill",
            key=f"{place}.kill.{run.name}",
            type="primary",
            icon=":material/skull:",
            help=f"The training has not answered for {ANSWER_SECONDS:.0f} s. This button ends its process "
            "at once. The training can be resumed from its last checkpoint.",
            on_click=attempt,
            args=(jobs.kill, run),
        )
    if status.state in RESUMABLE and not run.bundled and not exposure.is_public():
        kept = run.layout.last_place.exists()
        st.button(
            "Resume training" if kept else "Start again",
            key=f"{place}.continue.{run.name}",
            icon=":material/replay:",
            help="The training goes on from its last checkpoint."
            if kept
            else "There is no checkpoint yet, so the training begins with the first epoch.",
            on_click=_resume,
            args=(run,),
        )


def _resume(run: Run) -> None:
    attempt(jobs.resume_training, run)
    if PROBLEM not in st.session_state:
        watch_next(run.name)


def does_not_answer(run: Run) -> bool:
    """Whether a command has been waiting for too long."""
    waiting = ControlReader(run.path).waiting()
    return any(time.time() - command.sent > ANSWER_SECONDS for command in waiting)


def progress(run: Run, status: StatusRecord) -> str:
    """The epoch and the pace of a running training; the last message of another one."""
    if status.state == "queued":
        return status.message or "Waiting for its turn"
    if status.state not in ("running", "paused"):
        return status.message or f"Epoch {status.epoch}"
    epochs = run.config.training.epochs
    pace = seconds_per_epoch(cached.history(run))
    if pace is None and run.record.model is None:
        return "Reading the data and building the graphs and the model …"
    if pace is None:
        return f"Epoch 1 of {epochs:,} is on its way …"
    left = duration((epochs - status.epoch) * pace)
    return f"Epoch {status.epoch:,} of {epochs:,} · {pace:.2f} s each · up to {left} more"


def seconds_per_epoch(history: History) -> float | None:
    """Median time of the latest epochs, with validation and measures; None before the first epoch."""
    columns = [name for name in history.epochs.columns if str(name).startswith("seconds.")]
    if not columns:
        return None
    return float(history.epochs[columns].tail(LOOK_BACK).sum(axis=1).median())
