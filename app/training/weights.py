"""The loss weights that can be moved while a run trains: the slider, and what became of its last move."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st
from pydantic.fields import FieldInfo

from app import cached
from app.training.actions import attempt
from app.training.fields import effect_of, label_of, weight_options
from rednd_core.modeling.registry import CARDS, weight_setting
from rednd_core.runs import Command, ControlReader, History, Run, RunRecord, StatusRecord, send

ANSWER_SECONDS = 1.0  # how long a drawing of the page waits for the trainer's answer to a move
ON_ITS_WAY_SECONDS = 2.0  # longest time from the trainer taking a command to the event about it
TICKETS = "training.tickets"  # the tickets of all weights that were sent from this window
SINCE = "training.since"  # when this window first looked at a run


@dataclass(frozen=True)
class LiveWeight:
    """A loss of a run whose weight can be moved.

    Attributes:
        start: the configured weight.
        field: the setting with the weight.
    """

    run: Run
    loss: str
    start: float
    field: FieldInfo

    @property
    def key(self) -> str:
        """What the keys of its widgets begin with."""
        return f"training.weight.{self.run.name}.{self.loss}"

    @property
    def label(self) -> str:
        """The title of the setting."""
        return label_of(weight_setting(self.loss), self.field)

    def options(self, *in_use: float) -> list[float]:
        """What the slider offers."""
        return weight_options(self.field, self.start, *in_use)


@dataclass(frozen=True)
class Sent:
    """The weight that was last sent from this window."""

    ticket: str
    value: float
    time: float


@dataclass(frozen=True)
class Drawn:
    """The slider as it was last drawn.

    Attributes:
        number: counts the sliders. A slider that has to show another weight is replaced by a new slider: if
            the old one were set, a browser that is behind would send its old weight like a reader's move.
        value: where the slider stands.
        options: the weights on it.
    """

    number: int
    value: float
    options: Sequence[float]


@dataclass(frozen=True)
class Standing:
    """What holds for a weight.

    Attributes:
        in_force: the value that the trainer multiplies with.
        coming: the value of the newest command that the trainer has not applied yet; None without one.
        is_own: whether that command was sent from this window.
        event: what last became of a command for this weight; None where there was no command.
    """

    in_force: float
    coming: float | None
    is_own: bool
    event: Mapping[str, Any] | None

    @property
    def shown(self) -> float:
        """Where the slider stands."""
        return self.in_force if self.coming is None else self.coming


def live_weights(run: Run, record: RunRecord) -> list[LiveWeight]:
    """The weights of ``run`` that can be moved, the most interesting one first."""
    card = CARDS.get(record.config.model)
    if card is None or not card.live:  # a model without such a loss, or of a newer version
        return []
    fields = cached.models()[card.name].settings_class.model_fields
    found = []
    for loss in card.live:
        setting = weight_setting(loss)
        start = record.config.hyperparameters.get(setting)
        if isinstance(start, int | float):
            found.append(LiveWeight(run, loss, float(start), fields[setting]))
    return found


def weight_events(history: History) -> list[Mapping[str, Any]]:
    """What became of the commands that set a weight, of any loss and from anywhere."""
    return [event for event in history.events if event["event"] in ("set_weight", "refused")]


def standing(of: LiveWeight, history: History) -> Standing:
    """What holds for the weight now, whichever window moved it."""
    in_force, event = of.start, None
    for row in history.events:
        if row["event"] == "continued" and of.loss in row.get("weights", {}):
            in_force, event = float(row["weights"][of.loss]), None
        elif row["event"] in ("set_weight", "refused") and row["loss"] == of.loss:
            event = row
            in_force = float(row["value"]) if row["event"] == "set_weight" else in_force
    waiting = [
        command
        for command in ControlReader(of.run.path).waiting()
        if command.command == "set_weight" and command.loss == of.loss
    ]
    if waiting:
        return Standing(in_force, waiting[-1].value, is_ours(waiting[-1].ticket), event)
    sent = last_sent(of)
    if sent is not None and _is_on_its_way(sent, history):
        return Standing(in_force, sent.value, True, event)
    return Standing(in_force, None, False, event)


def last_sent(of: LiveWeight) -> Sent | None:
    """The weight that was last sent from this window."""
    sent: Sent | None = st.session_state.get(_sent_key(of))
    return sent


def is_ours(ticket: str | None) -> bool:
    """Whether a command was sent from this window."""
    return ticket is not None and ticket in st.session_state.get(TICKETS, ())


def _is_on_its_way(sent: Sent, history: History) -> bool:
    """Whether the trainer has just taken the command: its file is gone, and its event is not there yet."""
    answered = any(event.get("ticket") == sent.ticket for event in history.events)
    return not answered and time.time() < sent.time + ON_ITS_WAY_SECONDS


def weight_slider(of: LiveWeight, history: History) -> None:
    """A slider that shows the weight that holds, whichever window moved it."""
    st.session_state.setdefault(SINCE, time.time())
    now = standing(of, history)
    last: Drawn | None = st.session_state.get(_drawn_key(of))
    number = last.number if last else 0
    if st.session_state.get(_slider_key(of, number), now.shown) != now.shown:
        number += 1
    drawn = Drawn(number, now.shown, of.options(now.in_force, now.shown))
    st.session_state[_drawn_key(of)] = drawn
    st.select_slider(
        of.label,
        drawn.options,
        value=drawn.value,
        key=_slider_key(of, number),
        format_func=lambda weight: f"{weight:g}",
        on_change=_send,
        args=(of, number),
        help=f"{effect_of(of.loss, of.field)} A move takes effect with the next batch; "
        "a pink line marks it in the charts.",
    )


def _send(of: LiveWeight, number: int) -> None:
    """Send where the slider was moved to as the new weight.

    A browser that is behind may tell of a slider that was replaced, or of a run that is over: nothing is
    sent then, and nothing where the weight is in force or on its way already.
    """
    drawn: Drawn = st.session_state[_drawn_key(of)]
    if number != drawn.number or not of.run.status.is_live:
        return
    asked = float(st.session_state[_slider_key(of, number)])
    now = standing(of, cached.history(of.run)).shown
    value = moved_to(asked, drawn, of.options(now), now)
    st.session_state[_drawn_key(of)] = replace(drawn, value=asked)
    if value == now:
        return
    sent = Sent(uuid.uuid4().hex, value, time.time())
    st.session_state[_sent_key(of)] = sent
    st.session_state[TICKETS] = {*st.session_state.get(TICKETS, ()), sent.ticket}
    command = Command(command="set_weight", loss=of.loss, value=value, ticket=sent.ticket)
    attempt(send, of.run, command)


def moved_to(value: float, drawn: Drawn, options: Sequence[float], now: float) -> float:
    """The weight that is asked for when the slider, as it was drawn, is moved to ``value``.

    A step of one is relative: a key press goes to the neighbour of ``now`` among ``options``, also if
    another window moved the weight after the slider was drawn. A longer move names its goal.
    """
    step = drawn.options.index(value) - drawn.options.index(drawn.value)
    if now == drawn.value or abs(step) != 1:
        return value
    place = options.index(now) + step
    return options[min(max(place, 0), len(options) - 1)]


def told(of: LiveWeight, status: StatusRecord, history: History) -> str:
    """The weight that is on its way, or the weight in force and who moved it, in Markdown."""
    now = standing(of, history)
    if now.coming is not None and status.state == "queued":
        return f":orange[**{now.coming:g}** from the first batch on.]"
    if now.coming is not None:
        who = "" if now.is_own else " from another window"
        return f":orange[**{now.coming:g}** is sent{who} and waits for the next batch …]"
    if now.event is None and status.state == "queued":
        return f"**{now.in_force:g}** from the first batch on"
    if now.event is None:
        return f"**{now.in_force:g}** since the start"
    if now.event["event"] == "refused":
        return f"**{now.in_force:g}** is still in force."
    epoch, by = now.event["epoch"] + 1, _by(of, now.event)
    return f":green[**{now.in_force:g}** was applied in epoch **{epoch}**{by}.]"


def _by(of: LiveWeight, event: Mapping[str, Any]) -> str:
    """Who moved the weight, as far as this window can know."""
    sent = last_sent(of)
    if sent is not None and event.get("ticket") == sent.ticket:
        return f", {max(0.0, event['time'] - sent.time):.1f} s after you moved it"
    if event.get("ticket") is None or is_ours(event["ticket"]):
        return ""
    if event["time"] < st.session_state.get(SINCE, 0.0):
        # The same reader may have moved the weight before a reload of the page.
        return ""
    return "; it was moved in another window"


def waits(of: LiveWeight, history: History) -> bool:
    """Whether a move that was just made in this window has no answer yet."""
    sent = last_sent(of)
    answered = sent is None or any(event.get("ticket") == sent.ticket for event in history.events)
    return sent is not None and not answered and time.time() < sent.time + ANSWER_SECONDS


def _sent_key(of: LiveWeight) -> str:
    return f"{of.key}.sent"


def _drawn_key(of: LiveWeight) -> str:
    return f"{of.key}.drawn"


def _slider_key(of: LiveWeight, number: int) -> str:
    return f"{of.key}.{number}"
