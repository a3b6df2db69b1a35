"""Declared studies: a file says what is compared, validation chooses, and test is read for the chosen alone.

Stages come first: each varies its settings from the best point of the stage before, with few seeds, and
keeps the point with the best mean validation. What is kept is then trained with all seeds of the study.
"""

from __future__ import annotations

import math
import statistics
import tomllib
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Annotated

from pydantic import Field, JsonValue

from rednd_core.config import DataConfig, StrictModel, parse_settings, resolve_data_path
from rednd_core.data import load_configured
from rednd_core.errors import ConfigError, RunError
from rednd_core.reproducibility import commit
from rednd_core.runs import RunStore
from rednd_core.runs.facts import Count
from rednd_core.runs.layout import check_run_name, slug
from rednd_core.sweeps.campaign import Campaign, Pool, ProgressListener, opened
from rednd_core.sweeps.campaign_files import CampaignRecord
from rednd_core.sweeps.grid_points import (
    Axis,
    Point,
    Settings,
    check_axes,
    combinations,
    distinct,
    short_digest,
)
from rednd_core.sweeps.study import FOLDER, StudyPlan, check_plan, known_axes, points_of_model
from rednd_core.sweeps.sweep import score

DECLARATION_BYTES = 2**20


class Stage(StrictModel):
    """Settings that are varied together, with the seeds over which validation is averaged."""

    seeds: Annotated[tuple[Count, ...], Field(min_length=1)]
    vary: Annotated[dict[str, tuple[JsonValue, ...]], Field(min_length=1)]

    @property
    def axes(self) -> tuple[Axis, ...]:
        return tuple(Axis(key=key, values=values) for key, values in self.vary.items())

    def variations(self, model: str) -> list[Settings]:
        """What the stage tries with ``model``; empty where the model has none of the settings."""
        known = known_axes(self.axes, model)
        return list(combinations(known)) if known else []


class Declaration(StrictModel):
    """A study as its file declares it.

    Attributes:
        title, question: for people.
        data: paths, as the file gives them; a relative one is looked for as everywhere.
        settings: of all models that know them; stages: one after the other, for each data set and model.
        seeds: of the chosen points; the first model is what the others are compared with.
        left_out: what was not searched, as a sentence.
    """

    title: str
    question: str
    data: Annotated[tuple[str, ...], Field(min_length=1)]
    models: Annotated[tuple[str, ...], Field(min_length=1)]
    settings: dict[str, JsonValue] = Field(default_factory=dict)
    stages: tuple[Stage, ...] = ()
    seeds: Annotated[tuple[Count, ...], Field(min_length=1)]
    left_out: str = ""

    @property
    def data_configs(self) -> tuple[DataConfig, ...]:
        """The data sets by absolute paths, as workers may start anywhere."""
        return tuple(DataConfig(path=str(resolve_data_path(path))) for path in self.data)

    def default_name(self, file: Path) -> str:
        """From the file's name and its content, so that the same file finds its study again."""
        return f"{slug(file.stem)}-{short_digest(self.model_dump(mode='json'), 6)}"


class DeclaredRecord(CampaignRecord):
    """study.json of a declared study.

    Attributes:
        chosen: the runs of the chosen points, every seed; they alone have test metrics.
    """

    plan: Declaration
    chosen: tuple[str, ...] = ()


def read_declaration(file: Path) -> Declaration:
    """The declaration in a TOML file.

    Raises:
        ConfigError: no such file, no TOML, or a key that a declaration does not have.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ConfigError(
            expected=f"a study's declaration in {file}",
            found=(error.strerror or "no readable file").lower(),
            remedy="name a file such as benchmarks/studies/worlds.toml",
        ) from None
    if len(content) > DECLARATION_BYTES:
        raise ConfigError(
            expected=f"a declaration of at most {DECLARATION_BYTES:,} bytes",
            found=f"{len(content):,} bytes",
            remedy="name a study's TOML file",
        )
    try:
        values = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(
            expected=f"TOML in {file.name}", found=str(error), remedy="correct that place"
        ) from None
    return parse_settings(Declaration, values, f"entry of {file.name}")


def run_declared(
    plan: Declaration, name: str, store: RunStore, pool: Pool, listener: ProgressListener
) -> DeclaredRecord:
    """Train what is left of the study; the record is in .studies of the store.

    Raises:
        ConfigError: impossible settings; found before anything is trained.
        RunError: the name belongs to another plan, data have changed, or no point could be finished.
    """
    check_run_name(name)
    finals = _check(plan, name)
    fresh = DeclaredRecord(
        name=name,
        plan=plan,
        commit=commit(),
        data={data.path: load_configured(data).digest for data in plan.data_configs},
        select_by=finals[0].config.training.select_by,
    )
    file = store.root / FOLDER / name / "study.json"
    with opened(file, fresh, store, pool, listener, _n_points(plan)) as campaign:
        campaign.update(chosen=())
        kept = _search(campaign, plan, name)
        if kept is not None:
            _finish(campaign, plan, name, kept)
    return campaign.record


def _finish(
    campaign: Campaign[DeclaredRecord],
    plan: Declaration,
    name: str,
    kept: Mapping[tuple[str, str], Settings],
) -> None:
    """Train what was kept with all seeds; all choices were made before any test part is read."""
    chosen = [
        point
        for seed in plan.seeds  # seed after seed: what is stopped early has complete comparisons
        for (model, path), best in kept.items()
        for point in _points(plan, name, model, path, best, [seed])
    ]
    campaign.train(chosen, read_test=True)
    campaign.update(chosen=tuple(point.run for point in chosen))
    if all(point.is_over for point in campaign.known(chosen)):
        campaign.update(state="finished")


def _search(
    campaign: Campaign[DeclaredRecord], plan: Declaration, name: str
) -> dict[tuple[str, str], Settings] | None:
    """(model, data) -> the settings that the stages keep; None if a stage did not reach its end."""
    kept: dict[tuple[str, str], Settings] = {
        (model, data.path): {} for data in plan.data_configs for model in plan.models
    }
    for number, stage in enumerate(plan.stages, start=1):
        tried = {}
        for (model, path), best in kept.items():
            candidates = [best | varied for varied in stage.variations(model)]
            if candidates:
                tried[model, path] = [
                    (settings, _points(plan, name, model, path, settings, stage.seeds))
                    for settings in candidates
                ]
        every = [point for of in tried.values() for _, points in of for point in points]
        campaign.train(every, stage=f"stage {number}")
        if not all(point.is_over for point in campaign.known(every)):
            return None
        for key, of_model in tried.items():
            kept[key] = _best(of_model, campaign)
    return kept


def _best(
    candidates: Sequence[tuple[Settings, Sequence[Point]]], campaign: Campaign[DeclaredRecord]
) -> Settings:
    """The first settings with the best mean validation over the seeds.

    Raises:
        RunError: each has a seed that failed.
    """
    known = [campaign.known(points) for _, points in candidates]
    select_by = campaign.record.select_by
    means = [statistics.fmean(score(point, select_by) for point in seeds) for seeds in known]
    if max(means) == -math.inf:
        failed = next(point.run for seeds in known for point in seeds if not point.result)
        raise RunError(
            expected="settings whose seeds can all be trained to their end",
            found=f"a failure in each, such as {failed}",
            remedy=f"look at it with `rednd runs show {failed}` and change the settings",
        )
    return candidates[means.index(max(means))][0]


def _points(
    plan: Declaration,
    name: str,
    model: str,
    path: str,
    varied: Settings,
    seeds: Sequence[int],
) -> tuple[Point, ...]:
    of_seeds = [varied | {"seed": seed} for seed in seeds]
    return distinct(points_of_model(name, model, DataConfig(path=path), plan.settings, of_seeds))


def _check(plan: Declaration, name: str) -> list[Point]:
    """Refuse what cannot be trained; the points of the study without its stages."""
    keys: set[str] = set()
    for stage in plan.stages:
        check_axes(stage.axes, plan.models, {*plan.settings, *keys})
        keys |= {*stage.vary}
    path = plan.data_configs[0].path
    for model, stage in product(plan.models, plan.stages):
        for axis in known_axes(stage.axes, model):
            tried = [
                _points(plan, name, model, path, {axis.key: value}, stage.seeds)
                for value in axis.values
            ]
            distinct([point for points in tried for point in points])
    check_plan(
        StudyPlan(
            data=plan.data_configs,
            models=plan.models,
            settings=plan.settings,
            vary=(),
            seeds=plan.seeds,
        )
    )
    return [p for m in plan.models for p in _points(plan, name, m, path, {}, plan.seeds)]


def _n_points(plan: Declaration) -> int:
    """Runs at most; a chosen point's seed that a stage has trained is not trained again."""
    of_stages = sum(
        len(stage.variations(model)) * len(stage.seeds)
        for model, stage in product(plan.models, plan.stages)
    )
    return (of_stages + len(plan.models) * len(plan.seeds)) * len(plan.data)
