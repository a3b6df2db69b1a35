"""The read side of one run folder. A :class:`Run` is a handle: every look reads the files anew."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rednd_core.bounded import open_plain, read_plain
from rednd_core.config import RunConfig
from rednd_core.runs import journal
from rednd_core.runs.budgets import JOURNAL_BYTES
from rednd_core.runs.ids import IdsRecord, read_ids
from rednd_core.runs.layers import LayerIndex, read_index, read_layers
from rednd_core.runs.layout import RunLayout
from rednd_core.runs.liveness import observed
from rednd_core.runs.per_user import read_per_user
from rednd_core.runs.reading import read_record, unreadable
from rednd_core.runs.record import (
    EvaluationRecord,
    ProcessRecord,
    RunRecord,
    StatusRecord,
)
from rednd_core.runs.snapshots import Snapshots, read_snapshots

if TYPE_CHECKING:
    import pandas as pd

    from rednd_core.runs.layers import FloatArray

LOG_TAIL_BYTES = 65_536
STATUS_LOOKS = 5
"""A trainer that has just died has written its last status after at most one look."""


@dataclass(frozen=True)
class Run:
    """One training run, read from its folder.

    Attributes:
        bundled: shipped with the project, read-only.
    """

    path: Path
    bundled: bool = False

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def layout(self) -> RunLayout:
        return RunLayout(self.path)

    @property
    def record(self) -> RunRecord:
        """config.json: configuration, provenance, data and model facts."""
        return read_record(RunRecord, self.layout.config)

    @property
    def config(self) -> RunConfig:
        return self.record.config

    @property
    def status(self) -> StatusRecord:
        """status.json; where its process has died: ``failed`` before its first writing, ``lost`` after it."""
        told = read_record(StatusRecord, self.layout.status)
        for _ in range(STATUS_LOOKS):
            if not told.is_live:
                return told
            job = read_record(ProcessRecord, self.layout.job) if self.layout.job.exists() else None
            seen = observed(told, job, self.log_tail(1))
            if seen is told:
                return told
            # A process that ends well writes its last status and goes: look again before a verdict.
            earlier, told = told, read_record(StatusRecord, self.layout.status)
            if told == earlier:
                return seen
        return told  # The file changed at every look, so its writer lives.

    def metrics(self) -> pd.DataFrame:
        """One row an epoch, sorted; nested values as dotted columns, e.g. ``valid.recall@20``.

        Lists stay lists. Epochs that a resume went back behind are left out (see ``journal``).
        """
        return journal.epochs_of(self._valid_rows())

    def events(self) -> list[journal.Row]:
        """What happened beside the epochs (pauses, changed weights, ...), in order, and still holds."""
        return journal.events_of(self._valid_rows())

    def notices(self) -> tuple[str, ...]:
        """Sentences of the trainer on how the epoch was chosen, e.g. by a metric that is the same in all."""
        return journal.notices_of(self._valid_rows())

    def ids(self) -> IdsRecord | None:
        """Original ids of users and items; None where the run was made before runs kept them."""
        return read_ids(self.layout.ids)

    def layers(self) -> LayerIndex:
        """The layers as last written, memory-mapped, with the scoring embeddings of the same epoch."""
        return read_layers(self.layout)

    def snapshots(self) -> Snapshots | None:
        """The layers of some nodes after some epochs; None where the run keeps none."""
        return read_snapshots(self.layout)

    def embeddings(self) -> tuple[FloatArray, FloatArray]:
        """Users (n_users, s) and items (n_items, s); their inner products are the scores."""
        layers = self.layers()
        return layers.user_emb, layers.item_emb

    @property
    def layer_version(self) -> str | None:
        """Changes whenever the layers are rewritten; None where there are none. For cache keys."""
        index = read_index(self.layout)
        return index.version if index else None

    def evaluation(self) -> EvaluationRecord | None:
        """Validation and test metrics of the best checkpoint; None until they are written."""
        if not self.layout.evaluation.exists():
            return None
        return read_record(EvaluationRecord, self.layout.evaluation)

    def per_user(self) -> pd.DataFrame | None:
        """Metrics of every user, by split (see ``per_user``); None until they are written."""
        if not self.layout.per_user.exists():
            return None
        return read_per_user(self.layout.per_user)

    def log_tail(self, n_lines: int) -> str:
        """The last non-empty lines that the training process printed."""
        try:
            with open_plain(self.layout.log) as log:
                log.seek(max(0, os.fstat(log.fileno()).st_size - LOG_TAIL_BYTES))
                lines = log.read(LOG_TAIL_BYTES).decode("utf-8", "replace").splitlines()
        except OSError:  # there is none, or none that can be read: it is told beside something else
            return ""
        return "\n".join([line.rstrip() for line in lines if line.strip()][-n_lines:])

    @property
    def disk_bytes(self) -> int:
        """Bytes of all files of the run."""
        total = 0
        for folder, _, names in os.walk(self.path):
            for name in names:
                try:
                    total += (Path(folder) / name).lstat().st_size
                except FileNotFoundError:  # replaced by its writer just now
                    continue
        return total

    def _valid_rows(self) -> list[journal.Row]:
        """metrics.jsonl; an unfinished last line is its writer's present or a crash's past."""
        try:
            content = read_plain(self.layout.metrics, JOURNAL_BYTES)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise unreadable(f"{self.name}/metrics.jsonl", error) from None
        valid = journal.Journal()
        complete = content[: content.rfind(b"\n") + 1].splitlines()
        for number, line in enumerate(complete, start=1):
            valid.append(journal.parse_line(line, self.name, number))
        return valid.rows
