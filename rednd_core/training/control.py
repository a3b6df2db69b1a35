"""Commands to a running training: pause, resume, stop, change a loss weight. No file is read or written."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from pydantic import TypeAdapter

from rednd_core.errors import ConfigError
from rednd_core.modeling.base import Recommender
from rednd_core.runs.command import Command
from rednd_core.training.distributed import World

Poll = Callable[[], Sequence[Command]]
PAUSE_POLL_SECONDS = 0.1

_COMMANDS = TypeAdapter(list[Command])


def poll_together(world: World, poll: Poll) -> Poll:
    """A ``poll`` that gives every process the commands that any of them has got."""
    if world.size == 1:
        return poll

    def ask_all() -> list[Command]:
        own = list(poll())
        contents = world.gather(_COMMANDS.dump_json(own) if own else b"")
        return [c for content in contents if content for c in _COMMANDS.validate_json(content)]

    return ask_all


class Listener(Protocol):
    """Who is told what was done with a command."""

    def tell(self, event: str, **details: object) -> None: ...

    def wait(self) -> None:
        """Called about ten times a second while training is paused."""


class Control:
    """Applies the commands that have arrived, all of them, in their order.

    Args:
        poll: returns the commands that have arrived since it was last asked.
        model: whose loss weights may be changed.
        check: raises ConfigError where the model cannot be trained any more with a new weight.

    Attributes:
        stopped: whether a stop command came.
    """

    def __init__(
        self, poll: Poll, model: Recommender, listener: Listener, check: Callable[[], None]
    ) -> None:
        self._poll, self._model, self._listener, self._check = poll, model, listener, check
        self.stopped = False

    def apply(self) -> float:
        """Apply what waits; while paused, wait for more. Returns the seconds that a pause took."""
        began = time.perf_counter()
        paused = was_paused = False
        while True:
            for command in self._poll():
                if command.command == "set_weight":
                    self._set_weight(command)
                elif command.command == "pause" and not paused:
                    paused = was_paused = True
                    self._listener.tell("paused")
                elif command.command == "resume" and paused:
                    paused = False
                    self._listener.tell("resumed")
                elif command.command == "stop" and not self.stopped:
                    self.stopped = True
                    self._listener.tell("stopped")
            if self.stopped or not paused:
                return time.perf_counter() - began if was_paused else 0.0
            self._listener.wait()
            time.sleep(PAUSE_POLL_SECONDS)

    def _set_weight(self, command: Command) -> None:
        assert command.loss is not None
        assert command.value is not None
        change: dict[str, object] = {"loss": command.loss, "value": command.value}
        if command.ticket is not None:
            change["ticket"] = command.ticket
        before = dict(self._model.loss_weights)
        try:
            self._model.set_loss_weight(command.loss, command.value)
            self._check()
        except ConfigError as error:  # a mistyped name must not end a training of hours
            self._model.loss_weights.update(before)
            self._listener.tell("refused", **change, message=str(error))
        else:
            self._listener.tell("set_weight", **change)
