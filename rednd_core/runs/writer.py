"""The one writer of a run: training (and the job that waits to train) goes through it."""

from __future__ import annotations

import errno
import os
import shutil
import threading
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rednd_core import atomic
from rednd_core.errors import STORAGE, RedndError, RunError, printable, storage_error
from rednd_core.runs.control import ControlReader
from rednd_core.runs.facts import DataFacts, ModelFacts
from rednd_core.runs.ids import IdsRecord
from rednd_core.runs.layers import write_layers
from rednd_core.runs.layout import RunLayout, check_run_name
from rednd_core.runs.liveness import process_record
from rednd_core.runs.per_user import write_per_user
from rednd_core.runs.reading import read_record
from rednd_core.runs.record import (
    EvaluationRecord,
    Provenance,
    RunRecord,
    State,
    StatusRecord,
)
from rednd_core.writable import make_folder

if TYPE_CHECKING:
    import pandas as pd

    from rednd_core.runs.layers import FloatArray

HEARTBEAT_SECONDS = 5.0
BEAT_SECONDS = 1.0  # how often the thread of ``beating`` looks whether one is due


class RunWriter:
    """Writes the run in ``run_dir``, which :func:`create_run` has made.

    Attributes:
        record: config.json as it stands.
        control: the commands that reach this run.
    """

    def __init__(self, run_dir: Path) -> None:
        self.layout = RunLayout(run_dir)
        self.record = read_record(RunRecord, self.layout.config)
        self.control = ControlReader(run_dir)
        self._status = read_record(StatusRecord, self.layout.status)
        self._process = process_record(os.getpid())
        self._next_heartbeat = 0.0
        for folder in (self.layout.checkpoints, self.layout.control):
            folder.mkdir(exist_ok=True)
        layout = self.layout
        own = (layout.layers, layout.readouts, layout.snapshots, layout.checkpoints)
        for folder in (run_dir, *own):
            atomic.remove_leftovers(folder)
        # Others write there as well.
        atomic.remove_leftovers(self.layout.control, older_than=atomic.ABANDONED_SECONDS)
        self._drop_half_line()

    @property
    def path(self) -> Path:
        return self.layout.path

    def describe(self, provenance: Provenance, data: DataFacts, model: ModelFacts) -> None:
        """Complete config.json with what only the training process knows."""
        changes = {"provenance": provenance, "data": data, "model": model}
        self.record = self.record.model_copy(update=changes)
        atomic.write_json(self.layout.config, self.record)

    def claim(self) -> None:
        """Name this process as the run's at once, so that it is missed should it die while it reads data."""
        self.status("running", message="Reading the data")

    def status(
        self,
        state: State | None = None,
        *,
        epoch: int | None = None,
        best_epoch: int | None = None,
        message: str = "",
    ) -> None:
        """Write status.json; what is None stays as it was, the message is always new."""
        now = time.time()
        old = self._status
        self._status = StatusRecord(
            state=state or old.state,
            epoch=old.epoch if epoch is None else epoch,
            best_epoch=old.best_epoch if best_epoch is None else best_epoch,
            message=message,
            since=old.since if state in (None, old.state) else now,
            heartbeat=now,
            process=self._process,
        )
        self._write_status()

    @contextmanager
    def recording_failure(self, *, keep_refused: bool = True) -> Iterator[None]:
        """Whatever escapes the block becomes the run's state ``failed``, with its message.

        Args:
            keep_refused: False removes a run that was refused before its model was described, for somebody
                who reads why elsewhere.
        """
        try:
            yield
        except BaseException as error:
            if not self.layout.config.exists():
                shutil.rmtree(self.path, ignore_errors=True)  # what came back while it was removed
                raise self._removed() from None
            is_kept = keep_refused or self.record.model is not None
            told: BaseException = error
            if isinstance(error, OSError):
                then = f"resume the run {self.path.name}" if is_kept else "do it again"
                told = storage_error(error, then)
            if isinstance(told, RedndError) and not is_kept:
                atomic.remove_folder(self.path)
            else:
                self._record_failure(printable(str(told)) or type(told).__name__)
            if told is error:
                raise
            raise told from error

    def heartbeat(self) -> None:
        """Say that the process lives; call it between batches, it writes every few seconds."""
        if time.monotonic() < self._next_heartbeat:
            return
        self._status = self._status.model_copy(
            update={"heartbeat": time.time(), "process": self._process}
        )
        self._write_status()

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Heartbeats from a thread while the block does something long; it writes no status meanwhile."""
        over = threading.Event()

        def beat() -> None:
            while not over.wait(BEAT_SECONDS):
                with suppress(OSError, RunError):  # a full disk: the next one may find room
                    self.heartbeat()

        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def append_metrics(self, row: Mapping[str, Any]) -> None:
        """Append one epoch's values: nested mappings of numbers, ``epoch`` among them."""
        if type(row.get("epoch")) is not int or "event" in row:
            raise RunError(
                expected="metrics with an integer 'epoch' and without 'event'",
                found=f"the keys {', '.join(map(str, row))}",
                remedy="use append_event for what is not an epoch",
            )
        self._append(row)

    def append_event(self, event: str, **details: Any) -> None:
        """Append something that happened, with the time, e.g. ``append_event("paused", epoch=3)``."""
        self._append({"event": event, "time": time.time(), **details})

    def save_layers(
        self,
        layers: Mapping[str, Sequence[FloatArray]],
        user_emb: FloatArray,
        item_emb: FloatArray,
        *,
        epoch: int,
        readouts: Mapping[str, Sequence[FloatArray]] | None = None,
    ) -> None:
        """Replace the layers (each (N, d)) and the scoring embeddings by those of ``epoch``.

        Args:
            readouts: what would score at each depth, (N, D), where the recorded rule does not give it.
        """
        if self.record.model is None:
            raise RunError(
                expected="the model's modalities and sizes in config.json",
                found="none",
                remedy="call describe before save_layers",
            )
        facts = self.record.model.of_layers
        write_layers(self.layout, facts, layers, readouts or {}, user_emb, item_emb, epoch)

    def save_ids(self, user_ids: Iterable[str], item_ids: Iterable[str]) -> None:
        """Save the original ids of users and items, in the order of the rows of all arrays."""
        record = IdsRecord(users=list(user_ids), items=list(item_ids))
        atomic.write_bytes(self.layout.ids, atomic.encode_json(record))

    def save_evaluation(self, evaluation: EvaluationRecord) -> None:
        atomic.write_json(self.layout.evaluation, evaluation)

    def save_per_user(self, frame: pd.DataFrame) -> None:
        """Save the per-user metrics: ``user`` (dense id), ``split`` and one numeric column a metric."""
        write_per_user(self.layout.per_user, frame)

    def _record_failure(self, message: str) -> None:
        """The state first: a full disk may take one but not the other, or neither (then it is lost)."""
        with suppress(OSError, RunError):
            self.status("failed", message=message)
        with suppress(OSError, RunError):
            self.append_event("failed", message=message)

    def _removed(self) -> RunError:
        return RunError(
            expected=f"the folder of the run {self.path.name}, which is in training",
            found="that somebody removed it",
            remedy="train it again, and stop a run before you remove its folder",
        )

    def _write_status(self) -> None:
        if not self.layout.config.exists():  # or the folder would come back, with this file alone
            raise self._removed()
        atomic.write_json(self.layout.status, self._status)
        self._next_heartbeat = time.monotonic() + HEARTBEAT_SECONDS

    def _append(self, row: Mapping[str, Any]) -> None:
        """A whole line or none: a full disk takes the first half of one."""
        line = atomic.encode_json(row) + b"\n"
        with self.layout.metrics.open("ab", buffering=0) as file:
            end = file.seek(0, os.SEEK_END)
            try:
                written = file.write(line)
                if written != len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.layout.metrics))
            except OSError:
                file.truncate(end)
                raise

    def _drop_half_line(self) -> None:
        """Cut what a killed writer left of a line, or the next row would be glued to it."""
        if not self.layout.metrics.exists():
            return
        content = self.layout.metrics.read_bytes()
        if not content.endswith(b"\n"):
            os.truncate(self.layout.metrics, content.rfind(b"\n") + 1)


def create_run(run_dir: Path, record: RunRecord) -> RunWriter:
    """Make a run folder in state ``queued``, whole at once.

    Raises:
        RunError: it exists, or its store cannot be written.
    """
    check_run_name(run_dir.name)
    make_folder(run_dir.parent)
    unfinished = RunLayout(run_dir.with_name(f".{run_dir.name}.{uuid.uuid4().hex[:12]}.tmp"))
    try:
        unfinished.path.mkdir()
        atomic.write_json(unfinished.config, record)
        atomic.write_json(unfinished.status, StatusRecord(state="queued"))
    except BaseException:
        shutil.rmtree(unfinished.path, ignore_errors=True)
        raise
    publish(unfinished.path, run_dir)
    return RunWriter(run_dir)


def requeue(run_dir: Path) -> None:
    """Set a run that is over back to ``queued``, for a process that will resume it."""
    layout = RunLayout(run_dir)
    old = read_record(StatusRecord, layout.status)
    ControlReader(run_dir).clear()
    layout.job.unlink(missing_ok=True)
    atomic.write_json(
        layout.status,
        StatusRecord(state="queued", epoch=old.epoch, best_epoch=old.best_epoch),
    )


def publish(folder: Path, run_dir: Path) -> None:
    """Rename a finished ``folder`` to ``run_dir``; the folder goes where that name is taken."""
    try:
        if run_dir.exists():  # an empty folder would be replaced in silence
            raise FileExistsError
        folder.rename(run_dir)
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        if error.errno in STORAGE:
            raise storage_error(error) from None
        raise RunError(
            expected=f"no run called {run_dir.name} in {run_dir.parent}",
            found="one",
            remedy="choose another name",
        ) from None
