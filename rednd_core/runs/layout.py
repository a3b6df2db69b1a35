"""Names and paths of a run folder; no other module spells them.

See docs/architecture.md, "Run folder". Everything here is pure: no file is opened.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from rednd_core.errors import RunError

RUN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,98}[A-Za-z0-9]|[A-Za-z0-9]")
CHECKPOINT_FORMAT = "rednd-1"
EPOCH = re.compile(r"[0-9]{1,9}")
"""In the metadata of a checkpoint, which are texts; Python refuses to read a number of 5,000 digits."""
STAMP = r"[0-9a-f]{32}"
"""Of a saving, in the names of its files."""


@dataclass(frozen=True)
class RunLayout:
    """Where each file of the run in folder ``path`` lies."""

    path: Path

    @property
    def config(self) -> Path:
        return self.path / "config.json"

    @property
    def status(self) -> Path:
        return self.path / "status.json"

    @property
    def job(self) -> Path:
        """The process that was started for this run, as its starter saw it."""
        return self.path / "job.json"

    @property
    def metrics(self) -> Path:
        return self.path / "metrics.jsonl"

    @property
    def evaluation(self) -> Path:
        return self.path / "evaluation.json"

    @property
    def per_user(self) -> Path:
        return self.path / "per_user.parquet"

    @property
    def per_user_csv(self) -> Path:
        """The form in which per_user.parquet travels."""
        return self.path / "per_user.csv"

    @property
    def ids(self) -> Path:
        """Original ids of users and items, in the order of the rows of all arrays."""
        return self.path / "ids.json"

    @property
    def log(self) -> Path:
        return self.path / "log.txt"

    @property
    def control(self) -> Path:
        return self.path / "control"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def best_checkpoint(self) -> Path:
        return self.checkpoints / "best.safetensors"

    @property
    def last_place(self) -> Path:
        """Says which files of a saving count: where it is, there is something to resume from."""
        return self.checkpoints / "last.json"

    @property
    def layers(self) -> Path:
        return self.path / "layers"

    @property
    def layer_index(self) -> Path:
        return self.layers / "index.json"

    @property
    def users(self) -> Path:
        return self.layers / "users.npy"

    @property
    def items(self) -> Path:
        return self.layers / "items.npy"

    def layer(self, modality: str, index: int) -> Path:
        """The file of x^index of ``modality``, (N, d) float32."""
        return self.layers / f"{modality}_{index}.npy"

    @property
    def readouts(self) -> Path:
        """Only where the model's rule does not give them: see ``facts.LayerFacts``."""
        return self.path / "readouts"

    def readout(self, modality: str, index: int) -> Path:
        """The file of z^index of ``modality``, (N, D) float32."""
        return self.readouts / f"{modality}_{index}.npy"

    @property
    def snapshots(self) -> Path:
        """The layers of some nodes after some epochs: see ``snapshots.py``."""
        return self.path / "snapshots"

    @property
    def snapshot_index(self) -> Path:
        return self.snapshots / "index.json"

    @property
    def snapshot_nodes(self) -> Path:
        return self.snapshots / "nodes.npy"

    def snapshot(self, epoch: int) -> Path:
        return self.snapshots / f"{epoch}.npy"


def check_run_name(name: str) -> str:
    """``name`` if it can name a folder on every system; else a :class:`RunError`."""
    if not RUN_NAME.fullmatch(name):
        raise RunError(
            expected="a run name of 1 to 100 letters, digits, dots, dashes or underscores",
            found=repr(name[:120]),
            remedy="choose another name",
        )
    return name


def slug(text: str) -> str:
    """``text`` reduced to what a run name may hold: lower case, dashes between words."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40].strip("-") or "run"
