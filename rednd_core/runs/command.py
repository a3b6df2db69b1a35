"""What the app or the command line asks of a training: one file in control/."""

from __future__ import annotations

import time
from typing import Annotated, Literal

from pydantic import Field, model_validator

from rednd_core.runs.record import Moment, VersionedRecord

CommandName = Literal["pause", "resume", "stop", "set_weight"]


class Command(VersionedRecord):
    """One file in control/. ``set_weight`` names a loss and its new weight; the others name none.

    Attributes:
        sent: seconds since 1970.
        ticket: chosen by the sender. The event of a weight that was set or refused has the same ticket, so
            that the sender knows its own command among those of others.
    """

    command: CommandName
    loss: str | None = None
    value: Annotated[float, Field(ge=0)] | None = None
    sent: Moment = Field(default_factory=time.time)
    ticket: Annotated[str, Field(pattern="^[0-9a-f]{32}$")] | None = None

    @model_validator(mode="after")
    def _weight_and_only_weight(self) -> Command:
        given = (self.loss is not None, self.value is not None)
        wanted = self.command == "set_weight"
        if given != (wanted, wanted):
            raise ValueError("set_weight takes a loss and a value, the other commands neither")
        return self
