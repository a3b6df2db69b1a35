"""The typed JSON files of a run folder: strict, frozen, versioned by ``format``.

Unknown keys, wrong types and other versions are refused with one sentence that names the file.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    Field,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from rednd_core.bounded import read_plain
from rednd_core.config import (
    MODALITY,
    MOST_MODALITIES,
    RunConfig,
    StrictModel,
    resolve_data_path,
)
from rednd_core.errors import RunError
from rednd_core.runs.budgets import RECORD_BYTES

State = Literal["queued", "running", "paused", "finished", "stopped", "failed", "imported", "lost"]
Readout = Literal["mean", "last"]
CommandName = Literal["pause", "resume", "stop", "set_weight"]

LIVE_STATES: frozenset[State] = frozenset({"queued", "running", "paused"})
"""States that need a living process; ``lost`` is never stored, only observed."""

Count = Annotated[int, Field(ge=0, lt=2**63)]
Moment = Annotated[float, Field(ge=0, lt=32_503_680_000)]
"""Seconds since 1970, up to the year 3000: what every calendar can show."""
Name = Annotated[str, Field(min_length=1, max_length=200)]
Modality = Annotated[str, Field(pattern=f"^{MODALITY.pattern}$")]


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    if len({name.lower() for name in names}) < len(names):
        raise ValueError("modalities that differ by more than case")
    return names


Modalities = Annotated[
    tuple[Modality, ...],
    Field(min_length=1, max_length=MOST_MODALITIES),
    AfterValidator(_distinct),
]
Metrics = dict[str, float | None]

R = TypeVar("R", bound="VersionedRecord")


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


class VersionedRecord(TimedRecord):
    """A file of its own in the run folder, of at most ``most_bytes``."""

    most_bytes: ClassVar[int] = RECORD_BYTES
    format: Literal[1] = 1


class Provenance(TimedRecord):
    """Where a run comes from; versions and commit are those of the process that trained it.

    ``processes`` trained it together: sums in another order make other last digits.
    """

    created: Created = Field(default_factory=now)
    seed: Count
    versions: dict[str, str] = Field(default_factory=dict)
    commit: str | None = None
    processes: Annotated[int, Field(ge=1)] = 1


class DataFacts(StrictModel):
    """What the run was trained on; ``digest`` is the data set's own."""

    name: Name
    digest: Name
    n_users: Annotated[int, Field(ge=1)]
    n_items: Annotated[int, Field(ge=1)]
    n_train: Count
    n_valid: Count
    n_test: Count

    @property
    def n_nodes(self) -> int:
        return self.n_users + self.n_items

    @property
    def sizes(self) -> str:
        """The numbers of users, items and interactions in words."""
        n_pairs = self.n_train + self.n_valid + self.n_test
        return f"{self.n_users:,} users, {self.n_items:,} items, {n_pairs:,} interactions"


class ModelFacts(StrictModel):
    """Shape of the layers: ``n_layers`` + 1 arrays (x^0 .. x^L) of (N, embedding_size) a modality."""

    modalities: Modalities
    n_layers: Annotated[int, Field(ge=0, le=1000)]
    embedding_size: Annotated[int, Field(ge=1, le=65_536)]
    readout: Readout
    linear_propagation: bool = False


class RunRecord(VersionedRecord):
    """config.json. ``data`` and ``model`` are null until the training process has built them."""

    config: RunConfig
    provenance: Provenance
    data: DataFacts | None = None
    model: ModelFacts | None = None

    @property
    def data_digest(self) -> str | None:
        """The digest of the data set, None while the training process has not read it."""
        return None if self.data is None else self.data.digest

    def require_place(self) -> None:
        """Refuse a run whose data set is no longer where it was.

        Raises:
            RunError: nothing lies at the recorded path.
        """
        if self.data is not None and not resolve_data_path(self.config.data.path).exists():
            raise RunError(
                expected=f"the data set {self.data.name} that the run was trained on ({self.data.sizes})",
                found=f"nothing at {self.config.data.path}",
                remedy="put the data set back there, or train a new run on the data that you have",
            )

    def require_data(self, digest: str) -> None:
        """Refuse a data set other than the one that the run was trained on.

        Raises:
            RunError: ``digest`` is not the recorded one. A run that has none yet takes any.
        """
        if self.data is not None and self.data.digest != digest:
            raise RunError(
                expected=f"the data set {self.data.name} that the run was trained on ({self.data.sizes})",
                found=f"{self.config.data.path} with other content",
                remedy="put the old files back there, or train a new run on the new ones",
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
    """status.json: what the run's one writer last said of itself.

    Attributes:
        since: when this state began; heartbeat: when the writer last spoke; seconds since 1970.
        process: the writer; null until it has spoken, and in imported runs.
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


class LayersRecord(VersionedRecord):
    """layers/index.json: what lies beside it, written last.

    Attributes:
        shape: (N, d) of every layer.
        written: nanoseconds since 1970; tells two writings of one epoch apart.
    """

    modalities: Modalities
    n_layers: Annotated[int, Field(ge=0, le=1000)]
    shape: tuple[int, int]
    readout: Readout
    epoch: Count
    written: Count

    @property
    def version(self) -> str:
        return f"{self.epoch}-{self.written}"


class Command(VersionedRecord):
    """One file in control/. ``set_weight`` names a loss and its new weight; the others name none.

    Attributes:
        sent: seconds since 1970.
        ticket: chosen by the sender. The event of a weight that was set or refused has the same ticket, so
            that the sender knows its own command among those of others.
    """

    command: CommandName
    loss: str | None = None
    value: Annotated[float, Field(ge=0)] | None = None
    sent: Moment = Field(default_factory=time.time)
    ticket: Annotated[str, Field(pattern="^[0-9a-f]{32}$")] | None = None

    @model_validator(mode="after")
    def _weight_and_only_weight(self) -> Command:
        given = (self.loss is not None, self.value is not None)
        wanted = self.command == "set_weight"
        if given != (wanted, wanted):
            raise ValueError("set_weight takes a loss and a value, the other commands neither")
        return self


def parse_record(cls: type[R], content: bytes | str, what: str) -> R:
    """``content`` as a ``cls``; ``what`` names the file in the :class:`RunError`."""
    try:
        return cls.model_validate_json(content, strict=True)
    except ValidationError as error:
        raise _sentence(error, what) from None


def unreadable(what: str, error: OSError) -> RunError:
    """What a file of a run that cannot be read is answered with."""
    return RunError(
        expected=f"the file {what}",
        found=error.strerror or type(error).__name__,
        remedy="restore the file or delete the run",
    )


def read_record(cls: type[R], path: Path) -> R:
    """The record in ``path``; a missing, unreadable, large or invalid file is a :class:`RunError`."""
    what = f"{path.parent.name}/{path.name}"
    try:
        content = read_plain(path, cls.most_bytes)
    except OSError as error:
        raise unreadable(what, error) from None
    return parse_record(cls, content, what)


def _sentence(error: ValidationError, what: str) -> RunError:
    findings = error.errors(include_url=False)
    other_format = [finding for finding in findings if finding["loc"] == ("format",)]
    if other_format:
        return RunError(
            expected=f"format 1 in {what}",
            found=f"format {str(other_format[0]['input'])[:40]!r}",
            remedy="open it with the version that wrote it",
        )
    first = findings[0]
    where = ".".join(str(part) for part in first["loc"])
    return RunError(
        expected=f"a valid {what}",
        found=f"{first['msg'][:200]}{f' at {where[:100]}' if where else ''}",
        remedy="restore the file or delete the run",
    )
