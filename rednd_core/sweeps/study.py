"""Studies: models, data sets and variations, each with several seeds. A run's test part is read once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated

from pydantic import Field, JsonValue

from rednd_core.config import DataConfig, StrictModel
from rednd_core.data import load_configured
from rednd_core.errors import ConfigError, unknown_name
from rednd_core.modeling.defaults import setting_names
from rednd_core.reproducibility import commit
from rednd_core.runs import RunStore
from rednd_core.runs.facts import Count
from rednd_core.runs.layout import check_run_name, slug
from rednd_core.sweeps.campaign import Pool, ProgressListener, data_name, opened
from rednd_core.sweeps.campaign_files import CampaignRecord
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

FOLDER = ".studies"


class StudyPlan(StrictModel):
    """What is compared: every data set x model x variation, with every seed.

    Attributes:
        data: absolute paths.
        settings, vary: go to the models that know them; a key that none knows is refused.
    """

    data: Annotated[tuple[DataConfig, ...], Field(min_length=1)]
    models: Annotated[tuple[str, ...], Field(min_length=1)]
    settings: dict[str, JsonValue]
    vary: tuple[Axis, ...]
    seeds: Annotated[tuple[Count, ...], Field(min_length=1)]

    @property
    def default_name(self) -> str:
        """Determined by the plan, so that the same command finds its study again."""
        digest = short_digest(self.model_dump(mode="json"), 6)
        return f"study-{slug(data_name(self.data[0]))}-{digest}"

    def partly_known(self) -> dict[str, list[str]]:
        """Settings that only some of the models know -> those models."""
        keys = [*self.settings, *(axis.key for axis in self.vary)]
        known = {key: [m for m in self.models if key in setting_names(m)] for key in keys}
        return {key: models for key, models in known.items() if len(models) < len(self.models)}


class StudyRecord(CampaignRecord):
    """study.json. The settings of a point are its variation and its seed."""

    plan: StudyPlan


def run_study(
    plan: StudyPlan,
    store: RunStore,
    pool: Pool,
    listener: ProgressListener,
    name: str | None = None,
) -> StudyRecord:
    """Train the plan's unfinished runs; the record is in .studies of the store.

    Raises:
        ConfigError: impossible settings; found before anything is trained.
        RunError: the name belongs to another plan, or data have changed.
    """
    name = check_run_name(name or plan.default_name)
    points = study_points(plan, name)
    fresh = StudyRecord(
        name=name,
        plan=plan,
        commit=commit(),
        data={data.path: load_configured(data).digest for data in plan.data},
        select_by=points[0].config.training.select_by,
    )
    file = store.root / FOLDER / name / "study.json"
    with opened(file, fresh, store, pool, listener, len(points)) as campaign:
        campaign.train(points, read_test=True)
        if all(point.is_over for point in campaign.record.points):
            campaign.update(state="finished")
    return campaign.record


def study_points(plan: StudyPlan, name: str) -> tuple[Point, ...]:
    """All points, seed after seed: a study that is stopped early then has complete comparisons."""
    check_plan(plan)
    points = []
    for seed in plan.seeds:
        for data in plan.data:
            for model in plan.models:
                variations = combinations(known_axes(plan.vary, model))
                varied = [variation | {"seed": seed} for variation in variations]
                points += points_of_model(name, model, data, plan.settings, varied)
    return distinct(points)


def known_axes(axes: Sequence[Axis], model: str) -> list[Axis]:
    """The axes of settings that ``model`` has."""
    known = setting_names(model)
    return [axis for axis in axes if axis.key in known]


def points_of_model(
    name: str, model: str, data: DataConfig, settings: Settings, varied: Iterable[Settings]
) -> list[Point]:
    """A point for each of ``varied``, on top of those of the common ``settings`` that ``model`` has.

    Args:
        name: of the study, with which the names of its runs begin.
    """
    known = setting_names(model)
    common = {key: value for key, value in settings.items() if key in known}
    prefix = f"{name}-{slug(data_name(data))}-{slug(model)}"
    return [make_point(prefix, model, data, common, values) for values in varied]


def check_plan(plan: StudyPlan) -> None:
    valid = dict.fromkeys(name for model in plan.models for name in setting_names(model))
    for key in plan.settings:
        if key not in valid:
            raise unknown_name(f"setting of {' or '.join(plan.models)}", key, valid)
        if key == "seed":
            raise ConfigError(
                expected="the seeds in --seeds", found="a setting seed", remedy="remove it"
            )
    check_axes(plan.vary, plan.models, plan.settings)
    _check_distinct(
        "data sets in folders of different names", [data_name(data) for data in plan.data]
    )
    _check_distinct("different models", plan.models)
    _check_distinct("different seeds", [str(seed) for seed in plan.seeds])


def _check_distinct(what: str, names: Sequence[str]) -> None:
    twice = [name for number, name in enumerate(names) if name in names[:number]]
    if twice:
        raise ConfigError(expected=what, found=f"{twice[0]} twice", remedy="remove one")
