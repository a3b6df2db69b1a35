"""Declared studies: stages choose by validation over their seeds, test is read for the chosen alone."""

from __future__ import annotations

import statistics
from pathlib import Path

import numpy as np
import pytest

from rednd_core.errors import ConfigError
from rednd_core.modeling.defaults import setting_names
from rednd_core.runs import Run
from rednd_core.sweeps.declared import Declaration, read_declaration, run_declared
from rednd_core.sweeps.declared_report import (
    chosen_table,
    paired_table,
    placed,
    section,
    stage_table,
)

from .conftest import SETTINGS, Diary, SerialPool

COMMON = {key: value for key, value in SETTINGS.items() if key != "seed"} | {"epochs": 2}
STUDIES = sorted((Path(__file__).parents[2] / "benchmarks" / "studies").glob("*.toml"))


def declare(planted_folder: Path, **changes) -> Declaration:
    plan = {
        "title": "Planted",
        "question": "Which is best?",
        "data": (str(planted_folder),),
        "models": ("mf", "lightgcn"),
        "settings": COMMON,
        "stages": (
            {"seeds": (1, 2), "vary": {"n_layers": (1, 3)}},
            {"seeds": (1,), "vary": {"reg_weight": (0, 1e-3)}},
        ),
        "seeds": (1, 2),
    }
    return Declaration(**plan | changes)


def test_validation_chooses_and_losers_have_no_test(planted_folder, store) -> None:
    pool = SerialPool()
    record = run_declared(declare(planted_folder), "s", store, pool, Diary())
    assert record.state == "finished"
    by_depth = {
        depth: statistics.fmean(
            Run(store.root / f"s-planted-lightgcn-n_layers_{depth}-seed_{seed}")
            .evaluation().valid["recall@5"]
            for seed in (1, 2)
        )
        for depth in (1, 3)
    }  # fmt: skip
    best = max(by_depth, key=by_depth.get)
    later = [p for p in record.points if p.model == "lightgcn" and "reg_weight" in p.settings]
    assert {point.settings["n_layers"] for point in later} == {best}
    assert len(record.chosen) == 4
    for point in record.points:
        is_chosen = point.run in record.chosen
        assert bool(point.outcome.test) == is_chosen
        assert bool(Run(store.root / point.run).evaluation().test) == is_chosen
    assert len(pool.trained) == len(set(pool.trained)) + 2, "seed 1 was reopened for its test part"
    again = SerialPool()
    assert run_declared(declare(planted_folder), "s", store, again, Diary()) == record
    assert again.trained == []


def test_a_stopped_study_goes_on(planted_folder, store) -> None:
    plan = declare(planted_folder, models=("lightgcn",))
    stopped = run_declared(plan, "s", store, SerialPool(stop_after=3), Diary())
    assert (stopped.state, stopped.n_finished, stopped.chosen) == ("stopped", 3, ())
    assert not any(point.outcome.test for point in stopped.points if point.outcome)
    pool = SerialPool()
    record = run_declared(plan, "s", store, pool, Diary())
    assert (record.state, len(record.chosen)) == ("finished", 2)


def test_the_section_is_made_of_the_runs(planted_folder, store) -> None:
    stage = {"seeds": (1, 2), "vary": {"n_layers": (1, 3)}}  # of the second model alone
    plan = declare(planted_folder, stages=(stage,), left_out="deeper models.")
    record = run_declared(plan, "s", store, SerialPool(), Diary())
    columns, lines = chosen_table(record)
    mf = dict(zip(columns, lines[0], strict=True))
    runs = [Run(store.root / run) for run in record.chosen if "-mf-" in run]
    tests = [run.evaluation().test["recall@5"] for run in runs]
    mean, sd = statistics.fmean(tests), statistics.stdev(tests)
    assert mf["test recall@5"] == f"{mean:.4f} ± {sd:.4f}"
    columns, stages = stage_table(record)
    assert not any("test" in column for column in columns)
    assert len(stages) == 2, "mf has no layers"

    columns, ((_, model, base, difference, bounds, beyond),) = paired_table(record, store)
    users = [run.per_user().query("split == 'test'")["recall@5"].mean() for run in runs]
    assert (model, base) == ("lightgcn", "mf")
    other = [
        Run(store.root / run).evaluation().test["recall@5"]
        for run in record.chosen
        if "lightgcn" in run
    ]
    assert float(difference) == pytest.approx(np.mean(other) - np.mean(users), abs=6e-5)
    low, high = (float(bound) for bound in bounds.split(" to "))
    assert low <= float(difference) <= high
    assert (beyond == "yes") == (low > 0 or high < 0)

    text = section(record, store)
    assert "Left out: deeper models." in text
    document = placed("# Results\n\nBefore.\n", record, store)
    assert document == f"# Results\n\nBefore.\n\n{text}"
    assert placed(document + "\n## After\n", record, store) == document + "\n## After\n"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"models": ("lightgnc",), "stages": ()}, "did you mean 'lightgcn'"),
        ({"settings": {"n_layer": 1}, "stages": ()}, "did you mean 'n_layers'"),
        ({"stages": ({"seeds": (1,), "vary": {"seed": (1, 2)}},)}, "settings to vary"),
        ({"stages": ({"seeds": (1,), "vary": {"n_layers": (1, 1)}},)}, "twice"),
        ({"stages": ({"seeds": (1,), "vary": {"n_layers": (1, 99)}},)}, "n_layers"),
        ({"seeds": (1, 1), "stages": ()}, "twice"),
    ],
)
def test_what_is_refused_before_anything_is_trained(
    planted_folder, store, changes, message: str
) -> None:
    pool = SerialPool()
    with pytest.raises(ConfigError, match=message):
        run_declared(declare(planted_folder, **changes), "s", store, pool, Diary())
    assert pool.trained == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file"),
        ("title = ", "expected TOML"),
        ("titel = 'x'", "did you mean 'title'"),
        ("title = 'x'", "question"),
    ],
)
def test_files_that_are_none(tmp_path, content: str | None, message: str) -> None:
    file = tmp_path / "s.toml"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ConfigError, match=f"(?i){message}"):
        read_declaration(file)


@pytest.mark.parametrize("file", STUDIES, ids=lambda file: file.stem)
def test_what_ships_names_registered_models_and_their_settings(file: Path) -> None:
    plan = read_declaration(file)
    known = {name for model in plan.models for name in setting_names(model)}
    assert {*plan.settings} <= known
    assert {key for stage in plan.stages for key in stage.vary} <= known
    assert plan.left_out
