"""Run folders: the only door between training and looking. See docs/architecture.md, "Run folder"."""

from rednd_core.runs.alignment import AlignmentWeight, alignment_weight
from rednd_core.runs.command import Command
from rednd_core.runs.control import ControlReader, send
from rednd_core.runs.facts import DataFacts, LayerFacts, ModelFacts
from rednd_core.runs.follow import Follower, History
from rednd_core.runs.layers import LayerIndex
from rednd_core.runs.layout import CHECKPOINT_FORMAT, RunLayout
from rednd_core.runs.record import (
    LIVE_STATES,
    EvaluationRecord,
    Provenance,
    RunRecord,
    StatusRecord,
)
from rednd_core.runs.recycle_bin import DeletedRun
from rednd_core.runs.run import Run
from rednd_core.runs.snapshots import Snapshots
from rednd_core.runs.store import RunEntry, RunStore, default_store
from rednd_core.runs.transfer import export, import_archive, import_checkpoint
from rednd_core.runs.writer import RunWriter, create_run, requeue

__all__ = [
    "CHECKPOINT_FORMAT",
    "LIVE_STATES",
    "AlignmentWeight",
    "Command",
    "ControlReader",
    "DataFacts",
    "DeletedRun",
    "EvaluationRecord",
    "Follower",
    "History",
    "LayerFacts",
    "LayerIndex",
    "ModelFacts",
    "Provenance",
    "Run",
    "RunEntry",
    "RunLayout",
    "RunRecord",
    "RunStore",
    "RunWriter",
    "Snapshots",
    "StatusRecord",
    "alignment_weight",
    "create_run",
    "default_store",
    "export",
    "import_archive",
    "import_checkpoint",
    "requeue",
    "send",
]
