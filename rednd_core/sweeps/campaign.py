"""A sweep or study in progress: its record, its lock, and what is done and left to do."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from filelock import FileLock, Timeout

from rednd_core.atomic import write_json
from rednd_core.config import DataConfig, resolve_data_path
from rednd_core.errors import RedndError, RunError
from rednd_core.runs import Command, Run, RunStore, send
from rednd_core.runs.reading import read_record
from rednd_core.sweeps.campaign_files import CampaignRecord, Outcome, PointRecord
from rednd_core.sweeps.grid_points import Point
from rednd_core.sweeps.outcome import read_outcome
from rednd_core.sweeps.worker import STOP_FILE, is_done
from rednd_core.writable import make_folder

R = TypeVar("R", bound=CampaignRecord)


class Job:
    """A point on its way through a pool.

    Attributes:
        arguments: of ``worker.ensure_run``, in plain text.
    """

    def __init__(self, point: Point, run: Run, digest: str, folder: Path, read_test: bool) -> None:
        self.point, self._run, self._folder = point, run, folder
        config = point.config.model_dump_json()
        self.arguments = (str(run.path), config, digest, str(folder), read_test)
        self._asked = False

    @property
    def device(self) -> str:
        return self.point.config.training.device

    def ask_to_stop(self) -> None:
        """Keep the job from being begun, or stop its training within a batch; may be repeated."""
        (self._folder / STOP_FILE).touch()
        if self._asked or not self._run.path.exists():
            return
        with suppress(RunError):  # the run has not begun, or is over
            send(self._run, Command(command="stop"))
            self._asked = True


class Pool(Protocol):
    """Trains jobs side by side; see ``cluster.DaskPool``."""

    @property
    def stopping(self) -> bool: ...

    def n_parallel(self, jobs: Sequence[Job]) -> int: ...

    def stop(self) -> None: ...

    def run(
        self, jobs: Sequence[Job], done: Callable[[Job, Outcome | RedndError], None]
    ) -> None: ...


@dataclass(frozen=True)
class Progress:
    """State after a point: how many points are over, and how many seconds the rest may take."""

    n_over: int
    n_points: int
    seconds_left: float | None


class ProgressListener(Protocol):
    """Is told how a campaign proceeds."""

    def begun(self, record: CampaignRecord, n_points: int, n_parallel: int) -> None:
        """Training begins, with ``n_parallel`` points at once; called at most once."""

    def point(self, point: PointRecord, progress: Progress) -> None: ...


class Campaign(Generic[R]):
    """Trains points and writes the record after each; made by :func:`opened`.

    Attributes:
        record: as it is on disk.
        n_points: how many there are in all, as far as is known.
    """

    def __init__(
        self,
        file: Path,
        record: R,
        store: RunStore,
        pool: Pool,
        listener: ProgressListener,
        n_points: int,
    ) -> None:
        self.record, self.n_points = record, n_points
        self._file, self._store, self._pool, self._listener = file, store, pool, listener
        self._begun = False
        self._seconds: list[float] = []

    @property
    def stopped(self) -> bool:
        return self._pool.stopping

    def known(self, points: Sequence[Point]) -> list[PointRecord]:
        """What is recorded of ``points``, which have been given to :meth:`train`."""
        by_run = {known.run: known for known in self.record.points}
        return [by_run[point.run] for point in points]

    def update(self, **changes: Any) -> None:
        """Change fields of the record, on disk too."""
        self.record = self.record.model_copy(update=changes)
        write_json(self._file, self.record)

    def train(
        self, points: Sequence[Point], *, read_test: bool = False, stage: str | None = None
    ) -> None:
        """Train ``points`` until they end or are stopped; finished points are only read.

        Raises:
            RedndError: a point could not be trained at all, and none has been so far.
        """
        listed = {point.run for point in self.record.points}
        new = [_listed(point, stage) for point in points if point.run not in listed]
        self.update(points=(*self.record.points, *new))
        jobs = []
        for point in points:
            run = Run(self._store.root / point.run)
            digest = self.record.data[point.config.data.path]
            if is_done(run, point.config, read_test=read_test):
                self._record(point, read_outcome(run, digest, with_test=read_test))
            else:
                jobs.append(Job(point, run, digest, self._file.parent, read_test))
        if jobs and not self._pool.stopping:
            self._run(jobs)

    def _run(self, jobs: Sequence[Job]) -> None:
        n_parallel = self._pool.n_parallel(jobs)
        if not self._begun:
            self._begun = True
            self._listener.begun(self.record, self.n_points, n_parallel)
        refusals: list[RedndError] = []

        def done(job: Job, outcome: Outcome | RedndError) -> None:
            if isinstance(outcome, RedndError):
                if not self.record.n_finished:  # all other points would most likely be refused
                    refusals.append(outcome)
                    self._pool.stop()
                outcome = Outcome(state="failed", message=str(outcome))
            is_news = self._known(job.point).result is None  # else only its test part was read
            known = self._record(job.point, outcome)
            if is_news and outcome.state != "stopped":
                self._listener.point(known, self._progress(outcome, n_parallel))

        self._pool.run(jobs, done)
        if refusals:
            self.update(state="stopped")
            raise refusals[0]

    def _known(self, point: Point) -> PointRecord:
        return next(known for known in self.record.points if known.run == point.run)

    def _record(self, point: Point, outcome: Outcome) -> PointRecord:
        noted = self._known(point).model_copy(update={"outcome": outcome})
        points = self.record.points
        self.update(points=tuple(noted if p.run == point.run else p for p in points))
        return noted

    def _progress(self, outcome: Outcome, n_parallel: int) -> Progress:
        """Assumes that each remaining point takes the mean time of those trained in this session."""
        if outcome.seconds is not None:
            self._seconds.append(outcome.seconds)
        n_over = sum(point.is_over for point in self.record.points)
        left = math.ceil((self.n_points - n_over) / n_parallel)
        seconds = left * statistics.mean(self._seconds) if self._seconds else None
        return Progress(n_over, self.n_points, seconds)


@contextmanager
def opened(
    file: Path, fresh: R, store: RunStore, pool: Pool, listener: ProgressListener, n_points: int
) -> Iterator[Campaign[R]]:
    """The campaign whose record is ``file``; one process at a time.

    It begins as ``fresh`` where there is no record, or one without a single finished point.

    Raises:
        RunError: another process works on it, it was begun with another plan or other data, or its
            folder cannot be written.
    """
    make_folder(file.parent)
    lock = FileLock(file.parent / ".lock")
    try:
        held = lock.acquire(timeout=0)
    except Timeout:
        raise RunError(
            expected=f"no other process that works on {fresh.name}",
            found="another process",
            remedy="wait for its end or choose another name with --name",
        ) from None
    with held:
        record = fresh
        if file.exists() and (known := read_record(type(fresh), file)).n_finished:
            _require_same(known, fresh)
            record = known
        (file.parent / STOP_FILE).unlink(missing_ok=True)
        campaign = Campaign(file, record, store, pool, listener, n_points)
        campaign.update(state="running")
        try:
            yield campaign
        finally:
            if campaign.record.state == "running":
                campaign.update(state="stopped")


def data_name(config: DataConfig) -> str:
    """The name of a data set within names of runs: that of its folder or file."""
    return resolve_data_path(config.path).stem


def _require_same(record: CampaignRecord, fresh: CampaignRecord) -> None:
    if record.plan != fresh.plan:
        raise RunError(
            expected=f"the plan that {record.name} was begun with",
            found="another one",
            remedy="repeat the first command or choose another name with --name",
        )
    if record.data != fresh.data:
        raise RunError(
            expected=f"the data that {record.name} was begun with",
            found="other content at the same path",
            remedy="restore the data set or choose another name with --name",
        )


def _listed(point: Point, stage: str | None) -> PointRecord:
    return PointRecord(
        run=point.run,
        data=data_name(point.config.data),
        model=point.config.model,
        settings=point.settings,
        stage=stage,
    )
