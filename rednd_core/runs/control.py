"""Commands to a running training: a folder of small files, renamed in, deleted when read.

One file a command loses nothing with several writers: each write is one rename to a name of its own,
and the reader deletes a command only after it has read it. Names sort by time, so commands are applied
in the order in which they were sent. What was applied, and when, is an event in metrics.jsonl.
"""

from __future__ import annotations

import logging
import os
import re
import time
import uuid
from contextlib import suppress
from pathlib import Path

from rednd_core.atomic import write_bytes
from rednd_core.bounded import read_plain
from rednd_core.errors import RunError
from rednd_core.runs.budgets import COMMAND_BYTES
from rednd_core.runs.command import Command
from rednd_core.runs.layout import RunLayout
from rednd_core.runs.reading import parse_record, unreadable
from rednd_core.runs.run import Run

COMMAND_FILE = re.compile(r"([0-9]{20})-[0-9a-f]{8}\.json")
LAST_STAMP = 10**20 - 1  # a longer one would be no command

logger = logging.getLogger(__name__)


def send(run: Run, command: Command) -> None:
    """Queue ``command`` for ``run``; a run that no process is training is a :class:`RunError`."""
    state = run.status.state
    if not run.status.is_live:
        raise RunError(
            expected=f"run {run.name} to be queued, running or paused",
            found=f"the state {state}",
            remedy="resume the run first" if command.command != "stop" else "leave it as it is",
        )
    folder = RunLayout(run.path).control
    folder.mkdir(exist_ok=True)
    # After a step back of the clock, a new command must still sort behind the waiting ones.
    latest = max((int(name[:20]) for name in _names(folder)), default=0)
    stamp = min(max(time.time_ns(), latest + 1), LAST_STAMP)
    name = f"{stamp:020d}-{uuid.uuid4().hex[:8]}.json"
    # A trainer of an older version refuses fields that it does not know, also empty ones.
    write_bytes(folder / name, command.model_dump_json(exclude_none=True).encode())


class ControlReader:
    """The trainer's end, and a look at it for everybody else.

    :meth:`poll` costs one scan of an almost always empty folder.
    """

    def __init__(self, run_dir: Path) -> None:
        self._folder = RunLayout(run_dir).control
        self._ignored: set[str] = set()
        self._asked: list[Command] = []

    def ask(self, command: Command) -> None:
        """Queue a command from within the process, e.g. from a signal's handler: nothing is written."""
        self._asked.append(command)

    def poll(self) -> list[Command]:
        """Take the commands that wait, oldest first; those of this process before those of others."""
        commands, self._asked = self._asked, []
        for name in _names(self._folder):
            if name in self._ignored:
                continue
            try:
                commands.append(self._read(name))
            except FileNotFoundError:  # taken meanwhile, or a link to nothing
                pass
            except RunError as error:
                # A stray file must not end hours of training; it is reported and left out.
                logger.warning("Dropped a command. %s", error)
            self._drop(name)
        return commands

    def waiting(self) -> list[Command]:
        """The commands that wait, left where they are; the trainer may take them meanwhile."""
        commands = self._asked.copy()
        for name in _names(self._folder):
            with suppress(FileNotFoundError, RunError):
                commands.append(self._read(name))
        return commands

    def clear(self) -> None:
        """Forget the waiting commands: they were meant for a process that is gone."""
        self._asked = []
        for name in _names(self._folder):
            self._drop(name)

    def _read(self, name: str) -> Command:
        what = f"control/{name}"
        try:
            content = read_plain(self._folder / name, COMMAND_BYTES)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise unreadable(what, error) from None
        return parse_record(Command, content, what)

    def _drop(self, name: str) -> None:
        """Delete what was read; what cannot be deleted, e.g. a folder of that name, is ignored."""
        try:
            (self._folder / name).unlink(missing_ok=True)
        except OSError:
            self._ignored.add(name)


def _names(folder: Path) -> list[str]:
    """The commands in ``folder``, oldest first; none where the run is gone or shows none."""
    try:
        with os.scandir(folder) as entries:
            # Temporary names, whose writer has not finished, do not match.
            return sorted(entry.name for entry in entries if COMMAND_FILE.fullmatch(entry.name))
    except OSError:
        return []
