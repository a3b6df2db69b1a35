"""Studies: which runs, their means and spread by hand, differences seed by seed, the tables."""

from __future__ import annotations

import csv
import io
import math
import statistics

import pytest

from rednd_core.config import DataConfig
from rednd_core.errors import ConfigError
from rednd_core.sweeps.campaign_files import Outcome, PointRecord
from rednd_core.sweeps.grid_points import Axis
from rednd_core.sweeps.result_tables import (
    CSV_COLUMNS,
    difference,
    difference_table,
    plus_minus,
    study_csv,
    study_markdown,
    study_table,
)
from rednd_core.sweeps.study import StudyPlan, StudyRecord, run_study, study_points
from rednd_core.sweeps.summary import Spread, summarise

from .conftest import SETTINGS, Diary, SerialPool

COMMON = {key: value for key, value in SETTINGS.items() if key != "seed"} | {"epochs": 2}


def make(models=("lightgcn", "rednnd"), data=("shop",), seeds=(1, 2, 3), settings=(), **vary):
    return StudyPlan(
        data=tuple(DataConfig(path=str(path)) for path in data),
        models=models,
        settings=dict(settings),
        vary=tuple(Axis(key=key, values=values) for key, values in vary.items()),
        seeds=seeds,
    )


def test_which_runs() -> None:
    plan = make(data=("/a/shop", "/a/baby"), seeds=(1, 2), alignment_weight=(0, 0.1))
    assert [point.run for point in study_points(plan, "s")][:6] == [
        "s-shop-lightgcn-seed_1",
        "s-shop-rednnd-alignment_weight_0.0-seed_1",
        "s-shop-rednnd-alignment_weight_0.1-seed_1",
        "s-baby-lightgcn-seed_1",
        "s-baby-rednnd-alignment_weight_0.0-seed_1",
        "s-baby-rednnd-alignment_weight_0.1-seed_1",
    ]
    points = study_points(plan, "s")
    assert len(points) == 12
    assert {point.config.training.seed for point in points[6:]} == {2}


def test_settings_go_to_those_who_know_them() -> None:
    plan = make(settings={"knn_k": 7, "epochs": 9}, alignment_weight=(0, 0.1))
    lightgcn, rednnd, *_ = study_points(plan, "s")
    assert "knn_k" not in lightgcn.config.hyperparameters
    assert rednnd.config.hyperparameters["knn_k"] == 7
    assert lightgcn.config.training.epochs == rednnd.config.training.epochs == 9
    assert plan.partly_known() == {"knn_k": ["rednnd"], "alignment_weight": ["rednnd"]}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"settings": {"knnk": 1}}, "did you mean 'knn_k'"),
        ({"settings": {"seed": 1}}, "the seeds in --seeds"),
        ({"alignment_wight": (0, 1)}, "did you mean 'alignment_weight'"),
        ({"seed": (0, 1)}, "rednd study --seeds"),
        ({"seeds": (1, 2, 1)}, "different seeds, but found 1 twice"),
        ({"models": ("mf", "mf")}, "different models"),
        ({"data": ("a/shop", "b/shop")}, "folders of different names"),
        ({"models": ("lightgnc",)}, "did you mean 'lightgcn'"),
        ({"alignment_weight": (0, 0.0)}, "twice"),
    ],
)
def test_what_is_refused(changes, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        study_points(make(**changes), "s")


def test_a_study_on_planted_data(planted_folder, store, train_alone) -> None:
    plan = make(data=(planted_folder,), seeds=(1, 2), settings=COMMON, alignment_weight=(0, 0.1))
    pool, diary = SerialPool(), Diary()
    record = run_study(plan, store, pool, diary, "s")
    assert (record.state, len(record.points), diary.begun_with) == ("finished", 6, [(6, 1)])
    for point, planned in zip(record.points, study_points(plan, "s"), strict=True):
        expected = train_alone(planned.config).evaluation()
        assert point.outcome.valid == expected.valid
        assert point.outcome.test == expected.test != {}
    rows = summarise(record)
    assert [row.label for row in rows] == [
        "lightgcn", "rednnd alignment_weight=0.0", "rednnd alignment_weight=0.1",
    ]  # fmt: skip
    tests = [point.outcome.test["recall@5"] for point in record.points]
    assert rows[1].test["recall@5"].mean == pytest.approx((tests[1] + tests[4]) / 2)
    again = SerialPool()
    assert run_study(plan, store, again, Diary(), "s") == record
    assert again.trained == []


def test_a_stopped_study_goes_on(planted_folder, store) -> None:
    plan = make(("mf",), data=(planted_folder,), settings=COMMON)
    stopped = run_study(plan, store, SerialPool(stop_after=2), Diary(), "s")
    assert (stopped.state, stopped.n_finished) == ("stopped", 2)
    assert summarise(stopped)[0].seeds == (1, 2)
    pool = SerialPool()
    assert run_study(plan, store, pool, Diary(), "s").state == "finished"
    assert pool.trained == ["s-planted-mf-seed_3"]


# Means and differences by hand: (model, weight) -> seed -> test recall@20
VALUES = {
    ("lightgcn", None): {1: 0.10, 2: 0.12, 3: 0.14},
    ("rednnd", 0.0): {1: 0.11, 2: 0.15, 3: 0.13},
    ("rednnd", 0.1): {1: 0.12, 2: 0.15},
}


@pytest.fixture
def record() -> StudyRecord:
    points = []
    for seed in (1, 2, 3):
        for (model, weight), values in VALUES.items():
            variation = {} if weight is None else {"alignment_weight": weight}
            outcome = Outcome(state="failed", message="It diverged.")
            if seed in values:
                metrics = {"recall@20": values[seed], "ndcg@20": values[seed] / 2}
                outcome = Outcome(
                    state="finished",
                    valid={"recall@20": 0.5, "ndcg@20": None},
                    test=metrics,
                    best_epoch=10 * seed,
                    epochs=50,
                    seconds=9.0,
                    seconds_per_epoch=0.1,
                    commit="abc",
                )
            points.append(
                PointRecord(
                    run=f"r{len(points)}",
                    data="shop",
                    model=model,
                    settings={**variation, "seed": seed},
                    outcome=outcome,
                )
            )
    plan = make(settings={"epochs": 50}, alignment_weight=(0, 0.1))
    return StudyRecord(
        name="s", plan=plan, commit="abc", data={}, select_by="recall@20", points=tuple(points)
    )


def test_mean_and_spread(record) -> None:
    lightgcn, plain, aligned = summarise(record)
    recall = lightgcn.test["recall@20"]
    assert recall.values == VALUES["lightgcn", None]
    assert recall.mean == pytest.approx(0.12)
    assert recall.sd == pytest.approx(0.02), "n - 1 in the denominator"
    assert recall.half_width == pytest.approx(4.302653 * 0.02 / math.sqrt(3)), "t with 2 degrees"
    assert lightgcn.best_epoch.mean == 20
    assert plain.seeds == (1, 2, 3)
    assert aligned.seeds == (1, 2)
    assert "ndcg@20" not in lightgcn.valid
    single = Spread({4: 0.3})
    assert (single.mean, single.sd, single.half_width) == (0.3, None, None)


def test_differences_are_seed_by_seed(record) -> None:
    lightgcn, plain, aligned = summarise(record)
    assert (lightgcn.against, lightgcn.differences) == (None, {})
    assert plain.against == "lightgcn"
    found = plain.differences["test", "recall@20"]
    assert found.values == pytest.approx({1: 0.01, 2: 0.03, 3: -0.01})
    assert found.sd == pytest.approx(0.02)
    assert aligned.against == "rednnd alignment_weight=0.0"
    found = aligned.differences["test", "recall@20"]
    assert found.values == pytest.approx({1: 0.01, 2: 0.0}), "only seeds that both have"
    assert aligned.differences["valid", "recall@20"].values == {1: 0.0, 2: 0.0}


def test_data_sets_are_kept_apart(record) -> None:
    elsewhere = tuple(
        point.model_copy(update={"data": "baby", "run": f"b-{point.run}"})
        for point in record.points
        if point.model == "rednnd"
    )
    both = record.model_copy(update={"points": record.points + elsewhere})
    rows = summarise(both)
    assert [row.data for row in rows] == ["shop"] * 3 + ["baby"] * 2
    assert rows[3].against is None
    assert rows[4].against == "rednnd alignment_weight=0.0"


def test_cells() -> None:
    assert plus_minus(Spread({1: 0.1, 2: 0.2})) == "0.1500 ± 0.0707"
    assert plus_minus(Spread({1: 0.1})) == "0.1000"
    assert plus_minus(None) == ""
    assert difference(Spread({1: 0.01, 2: 0.0})) == "+0.0050 ± 0.0071 (1/2)"
    assert difference(Spread({1: -0.01})) == "-0.0100 (0/1)"


def test_tables(record) -> None:
    rows = summarise(record)
    columns, lines = study_table(record, rows)
    named = [dict(zip(columns, line, strict=True)) for line in lines]
    assert named[0]["test recall@20"] == "0.1200 ± 0.0200"
    assert named[0]["valid ndcg@20"] == ""
    assert (named[2]["n"], named[2]["best epoch"], named[2]["s/epoch"]) == (
        "2", "15.0 ± 7.1", "0.10 ± 0.00",
    )  # fmt: skip
    columns, lines = difference_table(record, rows)
    assert dict(zip(columns, lines[0], strict=True))["test recall@20"] == "+0.0100 ± 0.0200 (2/3)"
    text = study_markdown(record, rows)
    assert "over the seeds 1, 2, 3" in text
    assert "epochs 50" in text
    assert "Commit abc" in text
    tables = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in tables[:5]} == {10}


def test_csv_holds_everything(record) -> None:
    table = list(csv.DictReader(io.StringIO(study_csv(summarise(record)))))
    assert tuple(table[0]) == CSV_COLUMNS
    found = {(r["model"], r["variation"], r["split"], r["metric"]): r for r in table}
    assert len(found) == len(table) == 3 * 5
    line = found["rednnd", "alignment_weight 0.1", "test", "recall@20"]
    values = [0.12, 0.15]
    assert (line["n"], line["seeds"], line["n_higher"]) == ("2", "1 2", "1")
    assert float(line["mean"]) == pytest.approx(statistics.fmean(values))
    assert float(line["sd"]) == pytest.approx(statistics.stdev(values))
    assert float(line["difference_mean"]) == pytest.approx(0.005)
    assert line["against"] == "rednnd alignment_weight=0.0"
    assert found["lightgcn", "", "test", "recall@20"]["against"] == ""
