"""The read side of one run folder. A :class:`Run` is a handle: every look reads the files anew."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

from rednd_core.config import RunConfig
from rednd_core.errors import RunError
from rednd_core.runs.layers import FloatArray, LayerIndex, read_index, read_layers
from rednd_core.runs.layout import RunLayout
from rednd_core.runs.liveness import observed
from rednd_core.runs.per_user import read_per_user
from rednd_core.runs.record import (
    EvaluationRecord,
    ProcessRecord,
    RunRecord,
    StatusRecord,
    read_record,
)

if TYPE_CHECKING:
    import pandas as pd

LOG_TAIL_BYTES = 65_536


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
        """status.json, corrected where its process died: ``failed`` before, ``lost`` after it spoke."""
        while True:
            told = read_record(StatusRecord, self.layout.status)
            if not told.is_live:
                return told
            job = read_record(ProcessRecord, self.layout.job) if self.layout.job.exists() else None
            seen = observed(told, job, self.log_tail(1))
            # A process that ends well writes its last status and goes: look again before a verdict.
            if seen is told or read_record(StatusRecord, self.layout.status) == told:
                return seen

    def metrics(self) -> pd.DataFrame:
        """One row an epoch, sorted; nested values as dotted columns, e.g. ``valid.recall@20``.

        Lists stay lists. An epoch that was trained again after a resume counts once, with its last row.
        """
        import pandas as pd

        rows = {row["epoch"]: flatten(row) for row in self._lines() if "event" not in row}
        return pd.DataFrame.from_records([rows[epoch] for epoch in sorted(rows)])

    def events(self) -> list[dict[str, Any]]:
        """What happened beside the epochs (pauses, changed weights, ...), in order."""
        return [row for row in self._lines() if "event" in row]

    def layers(self) -> LayerIndex:
        """The layers as last written, memory-mapped, with the scoring embeddings of the same epoch."""
        return read_layers(self.layout)

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
            with self.layout.log.open("rb") as log:
                log.seek(max(0, os.fstat(log.fileno()).st_size - LOG_TAIL_BYTES))
                lines = log.read().decode("utf-8", "replace").splitlines()
        except FileNotFoundError:
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

    def _lines(self) -> list[dict[str, Any]]:
        """metrics.jsonl; an unfinished last line is its writer's present or a crash's past."""
        try:
            content = self.layout.metrics.read_bytes()
        except FileNotFoundError:
            return []
        complete = content[: content.rfind(b"\n") + 1].splitlines()
        return [
            parse_line(line, self.name, number) for number, line in enumerate(complete, start=1)
        ]


def parse_line(line: bytes, run_name: str, number: int) -> dict[str, Any]:
    """Line ``number`` of a run's metrics.jsonl; what is neither an epoch nor an event raises RunError."""
    try:
        row = from_json(line, allow_inf_nan=False)
        valid = isinstance(row, dict) and ("event" in row or type(row["epoch"]) is int)
    except (ValueError, KeyError):
        valid = False
    if not valid:
        raise RunError(
            expected=f"a JSON object with an epoch or an event in {run_name}/metrics.jsonl",
            found=f"{line[:60].decode('utf-8', 'replace')!r} in line {number}",
            remedy="remove that line",
        )
    return dict(row)


def flatten(row: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one level: ``{"valid": {"ndcg@5": x}}`` -> ``{"valid.ndcg@5": x}``."""
    flat: dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat
