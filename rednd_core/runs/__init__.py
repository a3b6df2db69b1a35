"""Run folders: the only door between training and looking. See docs/architecture.md, "Run folder".

What imports and exports whole runs is loaded when it is first used: a job that waits does neither.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

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
from rednd_core.runs.writer import RunWriter, create_run, requeue

if TYPE_CHECKING:
    from rednd_core.runs.transfer import export, import_archive, import_checkpoint

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

_TRANSFER = ("export", "import_archive", "import_checkpoint")


def __getattr__(name: str) -> Any:
    """A function of ``rednd_core.runs.transfer``, imported when it is first used."""
    if name not in _TRANSFER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("rednd_core.runs.transfer"), name)
