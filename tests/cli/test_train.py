"""``rednd train`` in the foreground."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rednd_core.cli.signals import AT_ONCE
from rednd_core.config import PROJECT_ROOT
from rednd_core.runs import Command, RunStore, RunWriter, send
from rednd_core.training import experiment
from rednd_core.training.trainer import Trainer


def test_json_is_the_last_line(rednd, planted_folder: Path, quick, tmp_path: Path) -> None:
    result = rednd("train", "--data", planted_folder, "--model", "rednnd", "--seed", 5, "--json",
                   "--set", "alignment_weight=0.01", "--set", 'modalities=["text"]', *quick)  # fmt: skip
    assert result.code == 0
    assert len(result.out.splitlines()) == 1
    found = result.json
    assert set(found) >= {
        "run", "best_epoch", "epochs", "valid", "test",
        "seconds_per_epoch", "seconds_per_validation", "peak_memory_mb",
    }  # fmt: skip
    assert (found["run"], found["epochs"], found["state"]) == ("rednnd-planted-1", 3, "finished")
    assert 1 <= found["best_epoch"] <= 3
    for split in ("valid", "test"):
        assert 0 <= found[split]["recall@20"] <= 1
        assert 0 <= found[split]["ndcg@5"] <= 1
    assert 0 < found["seconds_per_epoch"] < 60
    assert found["peak_memory_mb"] > 50
    config = RunStore(tmp_path / "runs").open("rednnd-planted-1").config
    assert config.training.seed == 5
    assert config.training.ks == (5, 20)
    assert config.hyperparameters["alignment_weight"] == 0.01
    assert config.hyperparameters["modalities"] == ["text"]
    assert config.hyperparameters["n_layers"] == 3, "defaults are written down"
    assert "epoch 3" in result.err


def test_text_output(rednd, planted_folder: Path) -> None:
    result = rednd("train", "--data", planted_folder, "--model", "popularity")
    assert result.code == 0
    assert "Run popularity-planted-1: finished after 0 epochs" in result.out
    assert "test  recall@5" in result.out


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["alignment_wight=1"], "did you mean 'alignment_weight'"),
        (["epoch=3"], "did you mean 'epochs'"),
        (["epochs"], "settings as key=value"),
        (["epochs=0"], "a valid value for epochs"),
        (["epochs=many"], "found 'many'"),
        (["learning_rate=NaN"], "a valid value for learning_rate"),
        (["n_layers=-1"], "a valid value for n_layers"),
        (["device=tpu"], "a valid value for device"),
        (["select_by=recall@7"], "recall@7"),
        (['modalities=["video"]'], "found image, text"),
        (["n_layers=0"], "n_layers=0 and alignment_weight=0.001"),
    ],
)
def test_impossible_settings(rednd, planted_folder: Path, settings, message: str) -> None:
    options = [part for setting in settings for part in ("--set", setting)]
    result = rednd("train", "--data", planted_folder, "--model", "rednnd", *options)
    assert (result.code, result.out) == (1, "")
    assert message in result.err
    assert "Traceback" not in result.err


def test_a_mistyped_setting_makes_no_run(rednd, planted_folder: Path, tmp_path: Path) -> None:
    rednd("train", "--data", planted_folder, "--model", "rednnd", "--set", "epoch=3")
    assert list(RunStore(tmp_path / "runs").list()) == []


def test_unknown_model_data_and_name(rednd, planted_folder: Path, tmp_path: Path) -> None:
    result = rednd("train", "--data", planted_folder, "--model", "lightgnc")
    assert (result.code, "did you mean 'lightgcn'" in result.err) == (1, True)
    result = rednd("train", "--data", tmp_path / "nowhere", "--model", "mf")
    assert result.code == 1
    assert "nothing at" in result.err
    assert list(RunStore(tmp_path / "runs").list()) == [], "no run for what is not there"
    result = rednd("train", "--data", planted_folder, "--model", "mf", "--run", "../x")
    assert (result.code, "a run name of" in result.err) == (1, True)
    assert rednd("train").code == 2


def test_failures_are_recorded(rednd, planted_folder: Path, tmp_path: Path, monkeypatch) -> None:
    def explode(self, phase, batch):
        raise MemoryError("no room")

    monkeypatch.setattr(Trainer, "take_step", explode)
    result = rednd("train", "--data", planted_folder, "--model", "mf", "--run", "bad")
    assert (result.code, "it is used up (no room); end other" in result.err) == (1, True)
    run = RunStore(tmp_path / "runs").open("bad")
    assert (run.status.state, run.status.message) == ("failed", "no room")
    assert run.events()[-1]["message"] == "no room"


def test_a_training_that_is_refused_leaves_no_run(rednd, tmp_path: Path) -> None:
    table = tmp_path / "reviews.csv"
    table.write_text("reviewer,product\na,b\n")
    command = ("train", "--data", table, "--column", "user=reviewe", "--model", "mf")
    result = rednd(*command, "--run", "again")
    assert (result.code, "column 'reviewe'" in result.err) == (1, True)
    assert [path.name for path in (tmp_path / "runs").iterdir()] == [".jobs.lock"]


def test_a_run_names_its_process_before_it_reads_the_data(
    rednd, trained: RunStore, monkeypatch
) -> None:
    """Killed meanwhile, it is lost, and keeps nobody waiting in the queue."""
    seen = []

    def look(*recorded):
        status = trained.open("done").status
        seen.append((status.state, status.process and status.process.pid, status.message))
        raise KeyboardInterrupt

    monkeypatch.setattr(experiment, "load_recorded", look)
    trained.delete("done")
    data = PROJECT_ROOT / "sample_data" / "shop"
    rednd("train", "--data", data, "--model", "mf", "--run", "done")
    (trained.open("done").layout.last_place).write_text("{}")
    rednd("train", "--resume", "done")
    assert seen == [("running", os.getpid(), "Reading the data")] * 2


def test_a_bundled_run_is_not_hidden(rednd, planted_folder: Path, tmp_path: Path) -> None:
    result = rednd("train", "--data", planted_folder, "--model", "mf", "--run", "shop-lightgcn")
    assert (result.code, "a name that no bundled run has" in result.err) == (1, True)
    assert not (tmp_path / "runs" / "shop-lightgcn").exists()


def test_a_relative_path_is_found_from_everywhere(
    rednd, planted_folder: Path, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.chdir(planted_folder.parent)
    trained = rednd("train", "--data", "planted", "--model", "popularity", "--run", "near")
    assert trained.code == 0, trained.err
    monkeypatch.chdir(tmp_path)
    far = rednd("evaluate", "--run", "near", "--json")
    assert far.code == 0, far.err
    monkeypatch.chdir(PROJECT_ROOT)
    rednd("train", "--data", "sample_data/shop", "--model", "popularity", "--run", "shop")
    config = RunStore(tmp_path / "runs").open("shop").config
    assert config.data.path == "sample_data/shop", "so that the run can travel"


def test_names_are_counted(rednd, planted_folder: Path, tmp_path: Path) -> None:
    runs = tmp_path / "others"
    for number in (1, 2):
        result = rednd("train", "--data", planted_folder, "--model", "popularity", "--json",
                       "--runs-dir", runs)  # fmt: skip
        assert result.json["run"] == f"popularity-planted-{number}"
    taken = rednd("train", "--data", planted_folder, "--model", "popularity",
                  "--runs-dir", runs, "--run", "popularity-planted-2")  # fmt: skip
    assert (taken.code, "no run called" in taken.err) == (1, True)


def test_resume_goes_on_to_the_same_end(
    rednd, planted_folder: Path, quick, tmp_path: Path, monkeypatch
) -> None:
    def train(*args):
        return rednd("train", "--json", *args)

    new = ("--data", planted_folder, "--model", "lightgcn", *quick)
    whole = train(*new, "--run", "whole").json
    store = RunStore(tmp_path / "runs")
    step, count = Trainer.take_step, iter(range(10**6))

    def stop_in_batch_seven(self, phase, batch):
        if next(count) == 7:
            send(store.open("part"), Command(command="stop"))
        return step(self, phase, batch)

    monkeypatch.setattr(Trainer, "take_step", stop_in_batch_seven)
    part = train(*new, "--run", "part").json
    monkeypatch.undo()
    monkeypatch.setenv("REDND_RUNS", str(tmp_path / "runs"))
    assert (part["state"], part["epochs"]) == ("stopped", 1)
    resumed = train("--resume", "part").json
    measured = {"run", "seconds_per_epoch", "seconds_per_validation", "peak_memory_mb"}
    for key in set(whole) - measured:
        assert resumed[key] == whole[key], key


def test_what_cannot_be_resumed(rednd, trained: RunStore, planted_folder: Path) -> None:
    for extra in (["--seed", "3"], ["--model", "mf"], ["--split", "random"], ["--run", "x"]):
        result = rednd("train", "--resume", "done", *extra)
        assert (result.code, "--resume alone or with --set" in result.err) == (1, True)
    for setting, said in (
        ("learning_rate=0.1", "one of epochs, patience, device, engine with --resume"),
        ("epochs=1", "more than the"),
        ("patience=0", "a valid value for patience"),
    ):
        result = rednd("train", "--resume", "done", "--set", setting)
        assert (result.code, said in result.err) == (1, True), result.err
    rednd("train", "--data", planted_folder, "--model", "popularity", "--run", "pop")
    result = rednd("train", "--resume", "pop")
    assert (result.code, "a last checkpoint of pop" in result.err) == (1, True)
    assert trained.open("pop").status.state == "finished", "a refusal changes nothing"
    result = rednd("train", "--resume", "shop-lightgcn")
    assert (
        result.code,
        "a bundled run, which is never changed; train a new run" in result.err,
    ) == (
        1,
        True,
    )
    RunWriter(trained.root / "done").status("running")
    result = rednd("train", "--resume", "done")
    assert (result.code, "found the state running; stop it first" in result.err) == (1, True)
    result = rednd("train", "--resume", "dune")
    assert (result.code, "did you mean 'done'" in result.err) == (1, True)


def test_resuming_a_finished_run_finds_the_same(rednd, trained: RunStore) -> None:
    before = trained.open("done").evaluation()
    again = rednd("train", "--resume", "done", "--json")
    assert (again.code, again.json["state"], again.json["epochs"]) == (0, "finished", 3)
    assert again.json["seconds_per_epoch"] is None
    told = rednd("train", "--resume", "done").out.splitlines()[-1]
    assert told.startswith("peak memory "), "no times that were not measured"
    assert trained.open("done").evaluation() == before


def wait_for_epoch(run_dir: Path, process: subprocess.Popen, seconds: float = 200) -> None:
    deadline = time.monotonic() + seconds
    metrics = run_dir / "metrics.jsonl"
    while not (metrics.exists() and metrics.stat().st_size):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "no epoch in time"
        time.sleep(0.02)


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_stops_with_results(planted_folder: Path, tmp_path: Path, quick_but) -> None:
    command = [
        *(sys.executable, "-m", "rednd_core", "train", "--data", str(planted_folder)),
        *("--model", "lightgcn", "--run", "long", "--json"),
        *quick_but(epochs=100_000, patience=10_000),
    ]
    process = subprocess.Popen(
        command, cwd=PROJECT_ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        wait_for_epoch(tmp_path / "runs" / "long", process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=90)
    finally:
        process.kill()
    assert process.returncode == 0, err
    assert '"state": "stopped"' in out
    assert "Traceback" not in err
    run = RunStore(tmp_path / "runs").open("long")
    assert run.status.state == "stopped"
    assert run.evaluation().test["recall@5"] is not None
    assert run.events()[-1]["event"] == "stopped"
    assert (run.path / "checkpoints" / "last.json").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGHUP twice"])
def test_other_signals_stop_as_well(
    rednd, planted_folder: Path, quick, tmp_path: Path, monkeypatch, name: str
) -> None:
    """A closed terminal may say so twice. The handlers are put back afterwards."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    step, count = Trainer.take_step, iter(range(100))

    def terminated(self, phase, batch):
        if next(count) == 6:
            for _ in range(1 + name.endswith("twice")):
                signal.raise_signal(getattr(signal, name.split()[0]))
        return step(self, phase, batch)

    monkeypatch.setattr(Trainer, "take_step", terminated)
    result = rednd("train", "--data", planted_folder, "--model", "lightgcn", "--json", *quick)
    assert (result.code, result.json["state"], result.json["epochs"]) == (0, "stopped", 1)
    assert {number: signal.getsignal(number) for number in before} == before
    (entry,) = [e for e in RunStore(tmp_path / "runs").list() if not e.run.bundled]
    assert entry.run.evaluation() is not None


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_training_under_nohup_outlives_its_terminal(
    rednd, planted_folder: Path, quick, monkeypatch
) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    step = Trainer.take_step

    def hung_up(self, phase, batch):
        signal.raise_signal(signal.SIGHUP)
        return step(self, phase, batch)

    try:
        monkeypatch.setattr(Trainer, "take_step", hung_up)
        result = rednd("train", "--data", planted_folder, "--model", "lightgcn", "--json", *quick)
        assert (result.code, result.json["state"]) == (0, "finished")
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_output_that_nobody_reads_ends_no_training(
    planted_folder: Path, tmp_path: Path, quick_but
) -> None:
    """The terminal is closed: SIGHUP comes, and every further byte is refused."""
    command = [
        *(sys.executable, "-m", "rednd_core", "train", "--data", str(planted_folder)),
        *("--model", "lightgcn", "--run", "long"),
        *quick_but(epochs=100_000, patience=10_000),
    ]
    process = subprocess.Popen(
        command, cwd=PROJECT_ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    process.stderr.close()
    try:
        wait_for_epoch(tmp_path / "runs" / "long", process)
        process.send_signal(signal.SIGHUP)
        assert process.wait(timeout=90) == 0
    finally:
        process.kill()
        process.wait()
    run = RunStore(tmp_path / "runs").open("long")
    assert run.status.state == "stopped"
    assert run.evaluation() is not None


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_again_and_again_prints_no_traceback(
    planted_folder: Path, tmp_path: Path, quick_but
) -> None:
    command = [
        *(sys.executable, "-m", "rednd_core", "train", "--data", str(planted_folder)),
        *("--model", "lightgcn", "--run", "long"),
        *quick_but(epochs=100_000, patience=10_000),
    ]
    process = subprocess.Popen(
        command, cwd=PROJECT_ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        wait_for_epoch(tmp_path / "runs" / "long", process)
        for _ in range(2):
            process.send_signal(signal.SIGINT)
            time.sleep(0.05)
        _, err = process.communicate(timeout=90)
    finally:
        process.kill()
    assert process.returncode in (0, 130, -signal.SIGINT), err
    assert "Traceback" not in err
    assert "KeyboardInterrupt" not in err


@pytest.mark.parametrize("half", [False, True])
def test_a_run_that_is_removed_while_it_trains_ends_with_a_sentence(
    rednd, planted_folder: Path, quick, tmp_path: Path, monkeypatch, half: bool
) -> None:
    """``rm -rf`` by hand; some of it may come back while it is removed."""
    folder = tmp_path / "runs" / "gone"
    step, count = Trainer.take_step, iter(range(100))

    def removed(self, phase, batch):
        if next(count) == 6:
            shutil.rmtree(folder)
            if half:
                (folder / "checkpoints").mkdir(parents=True)
        return step(self, phase, batch)

    monkeypatch.setattr(Trainer, "take_step", removed)
    command = ("train", "--data", planted_folder, "--model", "lightgcn", "--run", "gone")
    result = rednd(*command, *quick)
    assert result.code == 1
    assert "Traceback" not in result.err
    assert "the run gone, which is in training, but found that somebody removed it" in result.err
    assert [path.name for path in folder.parent.iterdir()] == [".jobs.lock"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_second_ctrl_c_ends_it_at_once(
    rednd, planted_folder: Path, quick, tmp_path: Path, monkeypatch
) -> None:
    def interrupted(self, phase, batch):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Trainer, "take_step", interrupted)
    result = rednd("train", "--data", planted_folder, "--model", "lightgcn", "--run", "cut", *quick)
    assert result.code == 130
    run = RunStore(tmp_path / "runs").open("cut")
    assert (run.status.state, run.status.message) == ("failed", AT_ONCE)


def test_the_module_is_the_program(tmp_path: Path) -> None:
    """``python -m rednd_core`` from any folder; help and version come without torch."""
    code = """
import sys
sys.argv = ["rednd", "--help"]
from rednd_core.__main__ import main
try:
    main()
finally:
    print([name for name in ("torch", "dgl", "umap", "sklearn") if name in sys.modules])
"""
    environment = os.environ | {"PYTHONPATH": str(PROJECT_ROOT)}
    run = {"capture_output": True, "text": True, "cwd": tmp_path, "env": environment, "check": True}
    done = subprocess.run([sys.executable, "-c", code], **run)
    assert done.stdout.splitlines()[-1] == "[]"
    for name in ("train", "evaluate", "smoothness", "project", "recommend", "runs", "data"):
        assert name in done.stdout
    version = subprocess.run([sys.executable, "-m", "rednd_core", "--version"], **run)
    assert version.stdout.startswith("rednd ")
    assert shutil.which("git") is None or not (tmp_path / "runs").exists()
