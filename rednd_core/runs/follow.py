"""Follow the metrics of a run that grows: each look reads and parses only what was appended."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rednd_core.bounded import open_plain
from rednd_core.runs import journal
from rednd_core.runs.budgets import JOURNAL_BYTES
from rednd_core.runs.reading import unreadable
from rednd_core.runs.run import Run

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class History:
    """metrics.jsonl up to now.

    Attributes:
        epochs: one row an epoch, as :meth:`Run.metrics` has them. Rows that a resume went back
            behind are left out.
        events: what happened beside the epochs, in order, and still holds.
        notices: sentences of the trainer on how the epoch was chosen.
    """

    epochs: pd.DataFrame
    events: tuple[journal.Row, ...]
    notices: tuple[str, ...] = ()


class Follower:
    """Keeps what was read of one run; safe for several threads.

    Parsing 1,000 epochs anew takes a quarter of a second, which a page that looks every second cannot
    afford; a look that finds one new epoch takes a few milliseconds.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._lock = threading.Lock()
        self._history: History | None = None
        self._forget()

    def read(self) -> History:
        """The history now; the same object while nothing was appended."""
        with self._lock:
            lines, size = self._new_lines()
            first = self._number + 1
            # All or nothing: a broken line is reported at every look, not at the first one only.
            name = self._run.name
            rows = [journal.parse_line(line, name, n) for n, line in enumerate(lines, first)]
            self._offset += size
            self._number += len(rows)
            if rows or self._history is None:
                for row in rows:
                    self._valid.append(row)
                held = self._valid.rows
                epochs, events = journal.epochs_of(held), journal.events_of(held)
                self._history = History(epochs, tuple(events), journal.notices_of(held))
            return self._history

    def _forget(self) -> None:
        self._offset = self._number = 0
        self._valid = journal.Journal()
        self._history = None

    def _new_lines(self) -> tuple[list[bytes], int]:
        """Complete lines since the last look, and their bytes together."""
        try:
            with open_plain(self._run.layout.metrics, JOURNAL_BYTES) as file:
                if file.seek(0, os.SEEK_END) < self._offset:  # another file by now
                    self._forget()
                file.seek(self._offset)
                content = file.read()
        except FileNotFoundError:
            self._forget()
            return [], 0
        except OSError as error:
            raise unreadable(f"{self._run.name}/metrics.jsonl", error) from None
        complete = content[: content.rfind(b"\n") + 1]
        return complete.splitlines(), len(complete)
