"""The typed JSON files of a run folder: strict, frozen, versioned by ``format``.

Unknown keys, wrong types and other versions are refused with one sentence that names the file.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Annotated, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    Field,
    ValidationInfo,
    model_validator,
)
from pydantic_core import from_json

from rednd_core.config import NO_INTERACTIONS, RunConfig, StrictModel, resolve_data_path
from rednd_core.errors import RunError
from rednd_core.runs.budgets import RECORD_BYTES
from rednd_core.runs.facts import Count, DataFacts, MachineFacts, ModelFacts, ModelFacts1

State = Literal["queued", "running", "paused", "finished", "stopped", "failed", "imported", "lost"]

LIVE_STATES: frozenset[State] = frozenset({"queued", "running", "paused"})
"""States that need a living process; ``lost`` is never stored, only observed."""

Moment = Annotated[float, Field(ge=0, lt=32_503_680_000)]
"""Seconds since 1970, up to the year 3000: what every calendar can show."""
Metrics = dict[str, float | None]


def _in_the_calendar(moment: datetime) -> datetime:
    if not 1970 <= moment.year < 3000:
        raise ValueError("a year from 1970 to 2999")
    return moment


Created = Annotated[AwareDatetime, AfterValidator(_in_the_calendar)]


def now() -> datetime:
    """The time, with its zone."""
    return datetime.now(UTC)


CLOCKS = (now, time.time)


class TimedRecord(StrictModel):
    """A record that is made with the time of now; one that is read has to say its times.

    A default that is new at each reading would make two readings of one file differ for ever.
    """

    @model_validator(mode="after")
    def _says_its_times(self, info: ValidationInfo) -> Self:
        if info.mode == "json":
            for name, field in type(self).model_fields.items():
                if field.default_factory in CLOCKS and name not in self.model_fields_set:
                    raise ValueError(f"no time under '{name}'")
        return self


class AnyRecord(TimedRecord):
    """A file of its own in the run folder, of at most ``most_bytes``."""

    most_bytes: ClassVar[int] = RECORD_BYTES
    formats: ClassVar[str] = "format 1"
    format: int

    @classmethod
    def from_text(cls, content: bytes | str) -> Self:
        """Read JSON strictly; a pydantic ValidationError where it does not fit."""
        return cls.model_validate_json(content, strict=True)


class VersionedRecord(AnyRecord):
    """A file whose form has never changed."""

    format: Literal[1] = 1


class Provenance(TimedRecord):
    """Where a run comes from; versions and commit are those of the process that trained it.

    ``processes`` trained it together: sums in another order make other last digits. ``machine`` is None in
    older runs.
    """

    created: Created = Field(default_factory=now)
    seed: Count
    versions: dict[str, str] = Field(default_factory=dict)
    commit: str | None = None
    processes: Annotated[int, Field(ge=1)] = 1
    machine: MachineFacts | None = None


class _RunRecord(AnyRecord):
    """The part of config.json that is the same in every format."""

    config: RunConfig
    provenance: Provenance
    data: DataFacts | None = None

    @property
    def data_digest(self) -> str | None:
        """The digest of the data set, None while the training process has not read it."""
        return None if self.data is None else self.data.digest

    @property
    def pairs_digest(self) -> str | None:
        """The digest of users, items and pairs, where the run has read nothing else."""
        return None if self.data is None or self.data.reads_features else self.data.pairs_digest

    @property
    def has_interactions(self) -> bool:
        """False for vectors that were imported without a data set."""
        return self.config.data.path != NO_INTERACTIONS

    def require_interactions(self, what: str) -> None:
        """Refuse ``what`` (in the plural, e.g. ``"recommendations"``), which only interactions can tell.

        Raises:
            RunError: the run was imported as vectors alone.
        """
        if not self.has_interactions:
            raise RunError(
                expected=f"interactions of the run's users and items, from which {what} follow",
                found="vectors that were imported without a data set",
                remedy="import the vectors again with the data set that the model was trained on",
            )

    def require_place(self) -> None:
        """Refuse a run whose data set is no longer where it was.

        Raises:
            RunError: nothing lies at the recorded path.
        """
        if self.data is not None and not resolve_data_path(self.config.data.path).exists():
            raise RunError(
                expected=f"the data set {self.data.name} that the run was trained on ({self.data.sizes})",
                found=f"nothing at {self.config.data.path}",
                remedy="say where it lies now: rednd runs relink RUN --data PATH",
            )

    def require_data(self, digest: str, pairs_digest: str = "") -> None:
        """Refuse a data set other than the one that the run was trained on.

        Args:
            digest, pairs_digest: of the data set. Features that the run has not read may differ.

        Raises:
            RunError: other content. A run that has recorded no data yet takes any.
        """
        if self.data is not None and not self.data.fits(digest, pairs_digest):
            raise RunError(
                expected=f"the data set {self.data.name} that the run was trained on ({self.data.sizes})",
                found=f"{self.config.data.path} with other content",
                remedy="put the old files back there, or train a new run on the new ones",
            )


class RunRecord1(_RunRecord):
    """config.json of format 1."""

    format: Literal[1] = 1
    model: ModelFacts1 | None = None


class RunRecord(_RunRecord):
    """config.json. ``data`` and ``model`` are null until the training process has built them."""

    formats: ClassVar[str] = "format 1 or 2"
    format: Literal[2] = 2
    model: ModelFacts | None = None

    @classmethod
    def from_text(cls, content: bytes | str) -> Self:
        if not is_format_1(content):
            return super().from_text(content)
        old = RunRecord1.from_text(content)
        return cls(
            config=old.config,
            provenance=old.provenance,
            data=old.data,
            model=old.model and old.model.upgraded(),
        )


class ProcessRecord(VersionedRecord):
    """A process that pid reuse cannot impersonate; job.json holds the one that was started.

    Attributes:
        started: its start as psutil gives it, seconds since 1970.
    """

    pid: Annotated[int, Field(ge=1, lt=2**31)]
    started: float
    host: str


class StatusRecord(VersionedRecord):
    """status.json, by the one process that writes a run.

    Attributes:
        since: when this state began; heartbeat: when the writer last wrote; seconds since 1970.
        process: the writer; null until its first writing, and in imported runs.
    """

    state: State
    epoch: Count = 0
    best_epoch: Count | None = None
    message: str = ""
    since: Moment = Field(default_factory=time.time)
    heartbeat: Moment = Field(default_factory=time.time)
    process: ProcessRecord | None = None

    @property
    def is_live(self) -> bool:
        return self.state in LIVE_STATES


class EvaluationRecord(VersionedRecord):
    """evaluation.json: the best checkpoint's metrics; ``n_users``: users averaged over, by split.

    A candidate whose test was left unread has no ``test`` in ``n_users``; data without test pairs has 0.
    """

    epoch: Count
    valid: Metrics
    test: Metrics
    n_users: dict[Literal["valid", "test"], int]

    @property
    def has_test(self) -> bool:
        """Whether test has been looked at."""
        return "test" in self.n_users


def is_format_1(content: bytes | str) -> bool:
    """Whether JSON has format 1, or no format, which format 1 allows. False for what is no JSON."""
    try:
        told = from_json(content)
    except ValueError:
        return False
    return isinstance(told, dict) and told.get("format", 1) == 1
