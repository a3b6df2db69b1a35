"""The file of a sweep or a study: its plan, its points, and their outcomes."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, JsonValue

from rednd_core.config import StrictModel
from rednd_core.runs.budgets import CAMPAIGN_BYTES
from rednd_core.runs.facts import Count, Name
from rednd_core.runs.record import Created, Metrics, VersionedRecord, now

CampaignState = Literal["running", "finished", "stopped"]


class Outcome(StrictModel):
    """The result of a point.

    Attributes:
        message: why it failed.
        valid, test: metrics of the best epoch; test is empty if it was not read.
        seconds: all epochs together, with validation and smoothness; seconds_per_epoch: median of
            the training alone. None for a model that has nothing to train.
        commit: of the code that trained it.
    """

    state: Literal["finished", "stopped", "failed"]
    message: str = ""
    valid: Metrics = Field(default_factory=dict)
    test: Metrics = Field(default_factory=dict)
    best_epoch: Count | None = None
    epochs: Count = 0
    seconds: float | None = None
    seconds_per_epoch: float | None = None
    commit: str | None = None


class PointRecord(StrictModel):
    """A point and, once there is one, its outcome.

    Attributes:
        stage: the axis that was varied when a staged search came by this point first.
    """

    run: Name
    data: Name
    model: Name
    settings: dict[str, JsonValue]
    stage: str | None = None
    outcome: Outcome | None = None

    @property
    def result(self) -> Outcome | None:
        """The outcome of a finished point, else None."""
        finished = self.outcome is not None and self.outcome.state == "finished"
        return self.outcome if finished else None

    @property
    def is_over(self) -> bool:
        """Whether it is finished or has failed: it will not be trained again."""
        return self.outcome is not None and self.outcome.state != "stopped"

    @property
    def seed(self) -> int:
        """The seed of a point of a study."""
        return int(str(self.settings["seed"]))

    @property
    def variation(self) -> dict[str, JsonValue]:
        """The settings without the seed."""
        return {key: value for key, value in self.settings.items() if key != "seed"}


class CampaignRecord(VersionedRecord):
    """The fields that sweep.json and study.json share.

    Attributes:
        plan: what was asked for; data: path of a data set -> its digest.
        commit: the code that began it; every outcome names its own.
    """

    most_bytes: ClassVar[int] = CAMPAIGN_BYTES

    name: Name
    plan: StrictModel
    created: Created = Field(default_factory=now)
    commit: str | None
    data: dict[str, str]
    select_by: str
    state: CampaignState = "running"
    points: tuple[PointRecord, ...] = ()

    @property
    def n_finished(self) -> int:
        return sum(point.result is not None for point in self.points)

    @property
    def commits(self) -> list[str]:
        """The commits that trained the points, sorted. Several: the code changed between points."""
        outcomes = (point.result for point in self.points)
        return sorted({outcome.commit for outcome in outcomes if outcome and outcome.commit})
