"""Hyper-parameter search: all points of a grid, or one setting after the other; chosen by validation.

The test metrics of a point that is not chosen are never computed. When all points are over, the test part
is read for the chosen point, with its best checkpoint.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, JsonValue

from rednd_core.config import DataConfig, StrictModel
from rednd_core.data import load_configured
from rednd_core.errors import RunError
from rednd_core.reproducibility import commit
from rednd_core.runs import RunStore
from rednd_core.runs.layout import check_run_name, slug
from rednd_core.sweeps.campaign import Campaign, Pool, ProgressListener, data_name, opened
from rednd_core.sweeps.campaign_files import CampaignRecord, PointRecord
from rednd_core.sweeps.grid_points import (
    Axis,
    Point,
    Settings,
    check_axes,
    combinations,
    distinct,
    make_point,
    short_digest,
)

FOLDER = ".sweeps"


class SweepPlan(StrictModel):
    """What is searched.

    Attributes:
        data: its path is absolute, as the workers may start anywhere.
        settings: the same for all points, the seed included.
        staged: vary one axis at a time, in their order, starting from every axis's first value and
            keeping the best value by validation; interactions between axes are not searched.
    """

    data: DataConfig
    model: str
    settings: dict[str, JsonValue]
    grid: Annotated[tuple[Axis, ...], Field(min_length=1)]
    staged: bool = False

    @property
    def default_name(self) -> str:
        """Determined by the plan, so that the same command finds its sweep again."""
        digest = short_digest(self.model_dump(mode="json"), 6)
        return f"{slug(self.model)}-{slug(data_name(self.data))}-{digest}"

    @property
    def n_points(self) -> int:
        """Runs to train: the product of the axes' lengths; staged, their sum without repetitions."""
        lengths = [len(axis.values) for axis in self.grid]
        return sum(lengths) - len(lengths) + 1 if self.staged else math.prod(lengths)


class SweepRecord(CampaignRecord):
    """sweep.json.

    Attributes:
        best: the run of the chosen point, once all are over; it alone has test metrics.
    """

    plan: SweepPlan
    best: str | None = None

    @property
    def ranked(self) -> list[PointRecord]:
        """The finished points, best validation first, then the others; ties in the plan's order."""
        return sorted(self.points, key=lambda point: -score(point, self.select_by))


def run_sweep(
    plan: SweepPlan,
    store: RunStore,
    pool: Pool,
    listener: ProgressListener,
    name: str | None = None,
) -> SweepRecord:
    """Train the plan's unfinished points and choose one; the record is in .sweeps of the store.

    Raises:
        ConfigError: impossible settings; found before anything is trained.
        RunError: the name belongs to another plan, data have changed, or no point could be finished.
    """
    name = check_run_name(name or plan.default_name)
    check_axes(plan.grid, [plan.model], plan.settings)
    for axis in plan.grid:  # all values, because a staged search might not reach each of them
        distinct(_points(plan, name, [_start(plan) | {axis.key: v} for v in axis.values]))
    everything = [] if plan.staged else list(combinations(plan.grid))
    start = _points(plan, name, everything or [_start(plan)])
    fresh = SweepRecord(
        name=name,
        plan=plan,
        commit=commit(),
        data={plan.data.path: load_configured(plan.data).digest},
        select_by=start[0].config.training.select_by,
    )
    file = store.root / FOLDER / name / "sweep.json"
    with opened(file, fresh, store, pool, listener, plan.n_points) as campaign:
        campaign.update(best=None)
        best = _staged(campaign, plan, name) if plan.staged else _best_of(campaign, start)
        if best is not None:
            campaign.train([best], read_test=True)
        if best is not None and not campaign.stopped:
            campaign.update(state="finished", best=best.run)
    return campaign.record


def _staged(campaign: Campaign[SweepRecord], plan: SweepPlan, name: str) -> Point | None:
    """One pass of coordinate descent; None if a stage did not reach its end."""
    chosen, best = _start(plan), None
    for axis in plan.grid:
        candidates = _points(plan, name, [chosen | {axis.key: v} for v in axis.values])
        best = _best_of(campaign, candidates, stage=axis.key)
        if best is None:
            return None
        chosen = best.settings
    return best


def _best_of(
    campaign: Campaign[SweepRecord], points: Sequence[Point], stage: str | None = None
) -> Point | None:
    """Train ``points`` and choose the first with the best validation; None if not all are over.

    Raises:
        RunError: all of them failed.
    """
    campaign.train(points, stage=stage)
    known = campaign.known(points)
    if not all(of.is_over for of in known):
        return None
    select_by = campaign.record.select_by
    scores = [score(of, select_by) for of in known]
    if max(scores) == -math.inf:
        raise RunError(
            expected="a point that can be trained to its end",
            found=f"{len(known)} failures, such as {known[0].run}",
            remedy=f"look at them with `rednd runs show {known[0].run}` and change the settings",
        )
    return points[scores.index(max(scores))]


def score(point: PointRecord, select_by: str) -> float:
    """The validation metric of a finished point; below everything for the others."""
    value = point.result.valid.get(select_by) if point.result else None
    return -math.inf if value is None else value


def _start(plan: SweepPlan) -> Settings:
    return {axis.key: axis.values[0] for axis in plan.grid}


def _points(plan: SweepPlan, name: str, varied: Sequence[Settings]) -> tuple[Point, ...]:
    return distinct(
        [make_point(name, plan.model, plan.data, plan.settings, values) for values in varied]
    )
