"""``rednd sweep`` and ``rednd study`` as they are typed, on workers of this machine."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rednd_core.cli.many_runs import parse_axes
from rednd_core.cli.options import parse_values
from rednd_core.config import PROJECT_ROOT
from rednd_core.errors import ConfigError
from rednd_core.runs import RunStore
from rednd_core.runs.reading import read_record
from rednd_core.sweeps.sweep import SweepRecord

ONE_WORKER = ("--workers", 1)


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "runs")


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("5,10", [5, 10]),
        ("1e-3, 5e-4", [0.001, 0.0005]),
        ("batch,full", ["batch", "full"]),
        ("auto,1", ["auto", 1]),
        ('["image"],["image","text"]', [["image"], ["image", "text"]]),
        ("true,false", [True, False]),
    ],
)
def test_values(text: str, values: list) -> None:
    assert parse_values(text) == values
    (axis,) = parse_axes([f"key={text}"])
    assert (axis.key, list(axis.values)) == ("key", values)


@pytest.mark.parametrize("text", ["", "5,,10", ",", "batch,"])
def test_missing_values(text: str) -> None:
    with pytest.raises(ConfigError, match="with commas between them"):
        parse_values(text)


def test_a_sweep(rednd, planted_folder: Path, store, quick) -> None:
    command = ("sweep", "--data", planted_folder, "--model", "lightgcn", "--grid", "n_layers=1,2",
               "--name", "s", *ONE_WORKER, *quick)  # fmt: skip
    result = rednd(*command)
    assert result.code == 0, result.err
    assert "s: 2 runs, 1 at a time" in result.err
    assert "1 of 2  planted lightgcn n_layers 1  valid recall@20 " in result.err
    assert "left" in result.err
    assert "Sweep s: grid, 2 of 2 points finished" in result.out
    record = read_record(SweepRecord, store.root / ".sweeps" / "s" / "sweep.json")
    (test_line,) = (line for line in result.out.splitlines() if line.startswith(" test"))
    best = store.open(record.best).evaluation()
    assert f"recall@20 {best.test['recall@20']:.4f}" in test_line
    assert record.best in result.out
    # The same command again finds everything done, and says it as JSON.
    again = rednd(*command, "--json")
    assert (again.code, again.err) == (0, "")
    assert again.json["best"] == record.best
    assert [point["outcome"]["test"] != {} for point in again.json["points"]] == [
        point.run == record.best for point in record.points
    ]
    # A run of the sweep trained by itself is the same run.
    layers = next(point.settings["n_layers"] for point in record.points if point.run == record.best)
    alone = rednd("train", "--data", planted_folder, "--model", "lightgcn", "--json", *quick,
                  "--set", f"n_layers={layers}").json  # fmt: skip
    assert (alone["valid"], alone["test"]) == (best.valid, best.test)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--grid", "knnk=5,10"], "did you mean 'knn_k'"),
        (["--grid", "knn_k"], "settings as key=value"),
        (["--grid", "knn_k=5,5"], "knn_k 5 twice"),
        (["--grid", "knn_k=0,5"], "a valid value for knn_k"),
        (["--grid", "seed=1,2"], "rednd study --seeds"),
        (["--grid", "knn_k=5", "--set", "knn_k=3"], "knn_k twice"),
        (["--grid", "knn_k=5", "--set", "epoch=3"], "did you mean 'epochs'"),
        (["--grid", "knn_k=5", "--name", "../x"], "a run name"),
    ],
)
def test_what_a_sweep_refuses(rednd, planted_folder, store, options, message: str) -> None:
    result = rednd("sweep", "--data", planted_folder, "--model", "rednnd", *options)
    assert (result.code, result.out) == (1, "")
    assert message in result.err
    assert not store.root.exists()


def test_workers_of_a_scheduler_are_its_own(rednd, planted_folder) -> None:
    result = rednd("sweep", "--data", planted_folder, "--model", "mf", "--grid", "epochs=1,2",
                   "--workers", 2, "--scheduler", "tcp://127.0.0.1:9")  # fmt: skip
    assert result.code == 2


def test_a_large_grid_names_the_staged_search(rednd, planted_folder, monkeypatch) -> None:
    from rednd_core.sweeps import sweep

    def stop(*args):
        raise ConfigError(expected="a", found="b", remedy="c")

    monkeypatch.setattr(sweep, "run_sweep", stop)
    result = rednd("sweep", "--data", planted_folder, "--model", "rednnd",
                   "--grid", "knn_k=5,10,15,20", "--grid", "reg_weight=1e-3,5e-4,1e-4",
                   "--grid", "alignment_weight=1e-3,5e-4,1e-4",
                   "--grid", "learning_rate=1e-3,1e-4")  # fmt: skip
    assert "72 runs; --staged would train 9" in result.err


def test_a_study(rednd, planted_folder: Path, store, quick, tmp_path: Path) -> None:
    table, values = tmp_path / "study.md", tmp_path / "study.csv"
    result = rednd("study", "--data", planted_folder, "--model", "lightgcn", "--model", "rednnd",
                   "--vary", "alignment_weight=0,0.1", "--seeds", "1,2", "--name", "s",
                   "--markdown", table, "--csv", values, *ONE_WORKER, *quick)  # fmt: skip
    assert result.code == 0, result.err
    assert "alignment_weight applies to rednnd only" in result.err
    assert "6 of 6  " in result.err
    assert "over the seeds 1,2, 6 of 6 runs finished" in result.out
    found = [
        store.open(f"s-planted-lightgcn-seed_{seed}").evaluation().test["ndcg@20"]
        for seed in (1, 2)
    ]
    with values.open() as file:
        rows = {(r["model"], r["split"], r["metric"]): r for r in csv.DictReader(file)}
    row = rows["lightgcn", "test", "ndcg@20"]
    assert float(row["mean"]) == pytest.approx(sum(found) / 2)
    assert float(row["sd"]) == pytest.approx(abs(found[0] - found[1]) / 2**0.5)
    assert f"{sum(found) / 2:.4f} ± " in table.read_text()
    again = rednd("study", "--data", planted_folder, "--model", "lightgcn", "--model", "rednnd",
                  "--vary", "alignment_weight=0,0.1", "--seeds", "1,2", "--name", "s", "--json",
                  *quick)  # fmt: skip
    assert again.json["state"] == "finished"
    assert len(again.json["summary"]) == 3 * (2 * 10 + 2)


def test_a_study_is_declared_in_a_file_or_in_options(rednd, tmp_path: Path) -> None:
    file = tmp_path / "declared.toml"
    file.write_text("title = 'T'")
    both = rednd("study", file, "--seeds", "1")
    assert (both.code, "either in a file or in options" in both.err) == (1, True)
    neither = rednd("study", "--seeds", "1")
    assert (neither.code, "a FILE.toml, or --data" in neither.err) == (1, True)


def test_a_declared_study_writes_its_section(
    rednd, planted_folder: Path, store, tmp_path: Path
) -> None:
    file, document = tmp_path / "tiny.toml", tmp_path / "results.md"
    file.write_text(
        f"title = 'Tiny'\nquestion = 'Q?'\ndata = ['{planted_folder.as_posix()}']\n"
        "models = ['popularity']\nseeds = [1, 2]\n"
    )
    document.write_text("# Results\n")
    result = rednd("study", file, "--markdown", document, *ONE_WORKER)
    assert result.code == 0, result.err
    assert "Tiny: chosen points" in result.out
    text = document.read_text()
    assert text.startswith("# Results\n\n<!-- begin study: Tiny -->")
    assert "| planted | popularity | as declared | 2 |" in text


@pytest.mark.parametrize("seeds", ["one", "1,-2", "1.5", "1,1"])
def test_seeds_that_are_none(rednd, planted_folder, seeds: str) -> None:
    result = rednd("study", "--data", planted_folder, "--model", "mf", "--seeds", seeds)
    assert (result.code, "seeds" in result.err) == (1, True)


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_stops_cleanly_and_the_same_command_continues(
    rednd, planted_folder: Path, store, quick_but
) -> None:
    """The signal goes to the whole process group, workers included, as a terminal sends it."""
    options = [
        *("sweep", "--data", str(planted_folder), "--model", "lightgcn", "--name", "s"),
        *("--grid", "n_layers=1,2", *map(str, ONE_WORKER)),
        *quick_but(epochs=400, patience=400),
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "rednd_core", *options],
        cwd=PROJECT_ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    metrics = store.root / "s-n_layers_1" / "metrics.jsonl"
    try:
        deadline = time.monotonic() + 200
        while not (metrics.exists() and metrics.stat().st_size):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline, "no epoch in time"
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=90)
    finally:
        process.kill()
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert "give the same command again to continue" in err
    assert "Chosen" not in out
    stopped = store.open("s-n_layers_1")
    assert stopped.status.state == "stopped"
    assert stopped.layout.last_place.exists()
    epochs = stopped.status.epoch
    assert not stopped.evaluation().has_test
    assert not (store.root / "s-n_layers_2").exists()
    again = rednd(*options, "--json")
    assert (again.code, again.json["state"]) == (0, "finished")
    assert stopped.events()[-1]["event"] == "continued"
    assert stopped.events()[-1]["epoch"] == epochs
    assert [point["outcome"]["epochs"] for point in again.json["points"]] == [400, 400]
