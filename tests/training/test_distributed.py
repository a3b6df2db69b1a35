"""Two processes that train together over gloo on loopback: the same result as one, and the same end.

Most pairs are forked from this process, which has imported everything; ``torchrun`` starts the others.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch

from rednd_core.cli import main
from rednd_core.config import PROJECT_ROOT, DataConfig, RunConfig
from rednd_core.data.schema import Interactions
from rednd_core.errors import ConfigError, DataError, TrainingError
from rednd_core.evaluation.evaluate import evaluate
from rednd_core.models import mf
from rednd_core.runs import (
    Command,
    Provenance,
    Run,
    RunRecord,
    RunStore,
    RunWriter,
    create_run,
    requeue,
    send,
)
from rednd_core.training import distributed
from rednd_core.training.callbacks import Callback
from rednd_core.training.distributed import ALONE, World, evaluate_together, joined
from rednd_core.training.experiment import take_part, train_run

pytestmark = pytest.mark.skipif(
    not hasattr(os, "fork") or not torch.distributed.is_available(),
    reason="needs fork and torch.distributed",
)

END_SECONDS = 60.0
"""Within which every pair must have ended, on a busy machine; most take about a second."""

LONG = ("--set", "epochs=100000", "--set", "patience=10000")


def wait_for(what: Callable[[], object]) -> None:
    until = time.monotonic() + END_SECONDS
    while not what():
        assert time.monotonic() < until, "nothing happened"
        time.sleep(0.05)


class Pair:
    """Two forked processes that run ``work(rank)`` in the environment that torchrun would set.

    The store through which they find each other lives here, as it does in torchrun.
    """

    def __init__(self, folder: Path, work: Callable[[int], object], **environment: str) -> None:
        self._folder = folder
        self._store = torch.distributed.TCPStore(
            "127.0.0.1", 0, is_master=True, wait_for_workers=False
        )
        self._environment = environment | {
            "WORLD_SIZE": "2",
            "LOCAL_WORLD_SIZE": "2",
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(self._store.port),
            "TORCHELASTIC_USE_AGENT_STORE": "True",
        }
        fork = multiprocessing.get_context("fork")
        self.processes = [fork.Process(target=self._child, args=(work, rank)) for rank in (0, 1)]
        for process in self.processes:
            process.start()

    def _child(self, work: Callable[[int], object], rank: int) -> None:
        os.environ.update(self._environment, RANK=str(rank), LOCAL_RANK=str(rank))
        for number, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(self._folder / f"{rank}.{name}", os.O_WRONLY | os.O_CREAT), number)
        sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
        code: int | str | None = 0
        try:
            (self._folder / f"{rank}.result").write_bytes(pickle.dumps(work(rank)))
        except SystemExit as ending:
            code = ending.code
        except BaseException:
            traceback.print_exc()
            code = 70
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 0)

    def codes(self) -> list[int | None]:
        """Exit codes; waits for the end."""
        until = time.monotonic() + END_SECONDS
        for process in self.processes:
            process.join(max(until - time.monotonic(), 0.1))
        return [process.exitcode for process in self.processes]

    def results(self) -> list:
        assert self.codes() == [0, 0], self.text("err")
        return [pickle.loads((self._folder / f"{rank}.result").read_bytes()) for rank in (0, 1)]

    def text(self, name: str) -> list[str]:
        return [(self._folder / f"{rank}.{name}").read_text() for rank in (0, 1)]

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.join()


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Callable[..., Pair]]:
    """``pair(work, **environment)``; what still runs after the test is killed."""
    started: list[Pair] = []

    def start(work: Callable[[int], object], **environment: str) -> Pair:
        folder = tmp_path / f"pair-{len(started)}"
        folder.mkdir()
        started.append(Pair(folder, work, **environment))
        return started[-1]

    yield start
    for each in started:
        each.end()


# The same model.


def trained(make_trainer, world: World, *args, **options) -> dict:
    trainer, diary = make_trainer(*args, world=world, **options)
    result = trainer.fit()
    return {
        "last": diary.last,
        "moments": diary.moments,
        "best": {k: v.clone() for k, v in trainer.model.state_dict().items()},
        "rows": diary.rows,
        "events": diary.events,
        "result": (result.state, result.epochs, result.best_epoch, result.valid),
        "place": (trainer.position.epoch, trainer.position.batch),
        "sums": trainer.position.loss_sums,
    }


def assert_same_bits(mine: dict, theirs: dict) -> None:
    for part in ("last", "moments", "best"):
        assert mine[part].keys() == theirs[part].keys()
        for key, values in mine[part].items():
            assert torch.equal(values, theirs[part][key]), (part, key)
    for part in ("rows", "events", "result", "place", "sums"):
        assert mine[part] == theirs[part], part


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("mf", {}),
        ("gcn", {}),
        ("lightgcn", {}),
        ("rednnd", {"alignment_scope": "batch"}),
        ("rednnd", {"alignment_scope": "anchors"}),
        ("rednnd", {"alignment_scope": "full"}),
        ("popularity", {}),
    ],
)
def test_two_processes_train_the_model_of_one(pair, make_trainer, name: str, settings) -> None:
    """Three epochs of four batches, the last of one pair, which is one share; the other is empty."""
    options = {"settings": settings, "batch_size": 93, "epochs": 3}

    def work(rank: int) -> dict:
        with joined() as world:
            # Parameters of another seed, which process 0 replaces by its own.
            return trained(make_trainer, world, name, seed=7 * rank, **options)

    first, second = pair(work).results()
    assert_same_bits(first, second)
    alone = trained(make_trainer, ALONE, name, **options)
    assert first["result"][:2] == alone["result"][:2]
    for key, values in alone["last"].items():
        torch.testing.assert_close(first["last"][key], values, rtol=1e-4, atol=2e-5)
    for mine, theirs in zip(first["rows"], alone["rows"], strict=True):
        assert mine[1] == pytest.approx(theirs[1], rel=1e-4)  # losses
        assert mine[3] == pytest.approx(theirs[3], abs=0.02)  # metrics: a swap of two near-ties


def test_both_stop_early_at_the_same_epoch(pair, make_trainer) -> None:
    def work(rank: int) -> dict:
        with joined() as world:
            return trained(make_trainer, world, epochs=500, patience=3, learning_rate=0.1)

    first, second = pair(work).results()
    assert_same_bits(first, second)
    epochs, best = first["result"][1:3]
    assert epochs == best + 3 < 500


def test_validation_is_divided_and_exact(pair, planted) -> None:
    """Users 0, 2 and 3, so that one process has two of them, and a user alone, so that one has none."""
    rng = np.random.default_rng(0)
    users, items = (torch.from_numpy(rng.normal(size=(n, 4)).astype(np.float32)) for n in (40, 30))
    chosen = [np.isin(planted.test.users, ids) for ids in ([0, 2, 3], [5])]
    parts = [Interactions(planted.test.users[c], planted.test.items[c]) for c in chosen]
    arguments = [(users, items, planted.train_matrix, part, (5, 20)) for part in parts]

    def work(rank: int) -> list:
        with joined() as world:
            return [evaluate_together(world, *each).per_user for each in arguments]

    for found in pair(work).results():
        for table, each in zip(found, arguments, strict=True):
            assert table.equals(evaluate(*each).per_user)


# Commands.


def test_commands_reach_both_wherever_they_arrive(pair, make_trainer) -> None:
    """A weight, a pause and a resume come to process 0, the stop to process 1."""
    weight = Command(command="set_weight", loss="alignment", value=0.25)
    pause, resume, stop = (Command(command=word) for word in ("pause", "resume", "stop"))
    scripts = ({7: [weight], 8: [pause], 9: [resume]}, {12: [stop]})

    def work(rank: int) -> dict:
        with joined() as world:
            return trained(make_trainer, world, "rednnd", dict(scripts[rank]))

    first, second = pair(work).results()
    assert_same_bits(first, second)
    assert [event for event, *_ in first["events"]] == [
        "set_weight", "paused", "resumed", "stopped",
    ]  # fmt: skip
    # Asked once a batch, and once more for the pause: the stop is found before batch 11, from 0.
    assert first["place"] == (2, 1)
    alone = trained(make_trainer, ALONE, "rednnd", {7: [weight], 11: [stop]})
    assert alone["place"] == (2, 1)
    for key, values in alone["last"].items():
        torch.testing.assert_close(first["last"][key], values, rtol=1e-4, atol=2e-5)
    assert first["sums"] == pytest.approx(alone["sums"], rel=1e-4)


# Whole runs.


class StopAt(Callback):
    """Sends a stop as the app would, after a batch."""

    def __init__(self, run_dir: Path, place: tuple[int, int]) -> None:
        self.run, self.place = Run(run_dir), place

    def on_batch(self, trainer, progress) -> None:
        if (progress.epoch, progress.batch) == self.place:
            send(self.run, Command(command="stop"))


def test_a_resumed_pair_goes_on_to_the_same_bits(
    pair, planted_folder: Path, tmp_path: Path, config, monkeypatch
) -> None:
    """Stopped inside an epoch; process 1 reads and writes nothing of the run, before and after."""
    settings = RunConfig(
        model="rednnd",
        data=DataConfig(path=str(planted_folder)),
        hyperparameters={"embedding_size": 4, "knn_k": 3, "alignment_weight": 0.01},
        training=config(epochs=5, eval_every=2, engine="csr"),
    )
    record = RunRecord(config=settings, provenance=Provenance(seed=3))
    whole, cut = tmp_path / "runs" / "whole", tmp_path / "runs" / "cut"

    def work(rank: int) -> None:
        with joined() as world:
            if rank:
                monkeypatch.setattr(RunWriter, "__init__", None)  # it has no business with one
                for _ in range(3):
                    take_part(world)
                return
            train_run(create_run(whole, record), world=world)
            writer = create_run(cut, record)
            stopped = train_run(writer, watch=[StopAt(cut, (3, 2))], world=world)
            assert (stopped.state, stopped.epochs) == ("stopped", 2)
            requeue(cut)
            train_run(RunWriter(cut), resume=True, world=world)

    pair(work).results()
    mine, theirs = Run(whole), Run(cut)
    assert theirs.status.state == mine.status.state == "finished"
    assert theirs.record.provenance.processes == 2
    assert theirs.evaluation() == mine.evaluation()
    for a, b in zip(mine.embeddings(), theirs.embeddings(), strict=True):
        np.testing.assert_array_equal(a, b)
    seconds = [name for name in mine.metrics() if "seconds" in name]
    assert theirs.metrics().drop(columns=seconds).equals(mine.metrics().drop(columns=seconds))


def cli(*arguments: object) -> None:
    sys.argv = ["rednd", *map(str, arguments)]
    main()


def test_one_speaks_and_a_signal_to_any_stops_both(
    pair, planted_folder: Path, tmp_path: Path, quick_settings
) -> None:
    """SIGTERM to process 1 alone, as when its machine is wanted back."""
    started = pair(
        lambda rank: cli("train", "--data", planted_folder, "--model", "lightgcn", "--run", "both",
                         "--json", *quick_settings, *LONG)
    )  # fmt: skip
    run = RunStore(tmp_path / "runs")
    wait_for(lambda: (tmp_path / "runs" / "both").exists() and run.open("both").status.epoch > 1)
    os.kill(started.processes[1].pid, signal.SIGTERM)
    assert started.codes() == [0, 0]
    out, err = started.text("out"), started.text("err")
    assert json.loads(out[0])["state"] == "stopped"
    assert "epoch 2 " in err[0]
    assert "stopped" in err[0]
    assert out[1] == ""
    assert "epoch" not in err[1]
    opened = run.open("both")
    assert opened.status.state == "stopped"
    assert opened.evaluation().has_test


# Failures.


@pytest.fixture
def quick_settings() -> tuple[str, ...]:
    values = {"batch_size": 64, "learning_rate": 0.02, "ks": [5, 20], "device": "cpu",
              "engine": "csr", "embedding_size": 8}  # fmt: skip
    return tuple(part for key, value in values.items() for part in ("--set", f"{key}={value}"))


@pytest.fixture
def running(pair, planted_folder: Path, tmp_path: Path, quick_settings):
    """``running(**environment)``: a pair whose run ``one`` has begun, and that run."""

    def start(**environment: str) -> tuple[Pair, Run]:
        started = pair(
            lambda rank: cli("train", "--data", planted_folder, "--model", "lightgcn",
                             "--run", "one", *quick_settings, *LONG),
            **environment,
        )  # fmt: skip
        folder = tmp_path / "runs" / "one"
        wait_for(lambda: folder.exists() and Run(folder).status.epoch > 1)
        return started, Run(folder)

    return start


def sentences(pair: Pair) -> list[str]:
    """What both have told the user of the end."""
    return [line for text in pair.text("err") for line in text.splitlines() if "rednd:" in line]


def test_a_killed_process_ends_the_first(running) -> None:
    started, run = running()
    began = time.monotonic()
    started.processes[1].kill()
    assert started.codes() == [1, -signal.SIGKILL]
    assert time.monotonic() - began < 20
    (sentence,) = sentences(started)
    assert "Expected 2 processes to train together, but found that one is gone" in sentence
    assert "Traceback" not in "".join(started.text("err"))
    assert run.status.state == "failed"
    assert run.status.message in sentence


def test_the_others_speak_where_the_first_is_killed(running) -> None:
    started, _ = running()
    began = time.monotonic()
    started.processes[0].kill()
    assert started.codes() == [-signal.SIGKILL, 1]
    assert time.monotonic() - began < 20
    (sentence,) = sentences(started)
    assert "but found that one is gone" in sentence


def test_a_silent_process_ends_the_first_in_time(running) -> None:
    started, run = running(REDND_PEER_TIMEOUT="3")
    began = time.monotonic()
    os.kill(started.processes[1].pid, signal.SIGSTOP)
    wait_for(lambda: not started.processes[0].is_alive())
    assert time.monotonic() - began < 20
    started.processes[1].kill()
    assert started.codes() == [1, -signal.SIGKILL]
    (sentence,) = sentences(started)
    assert "gone or silent" in sentence
    assert run.status.state == "failed"


def test_the_first_tells_why_another_ended(
    pair, planted_folder: Path, tmp_path: Path, quick_settings
) -> None:
    """The other machine has no such data."""

    def work(rank: int) -> None:
        if rank:
            distributed.SPEAKER_SECONDS = END_SECONDS
            os.chdir(tmp_path)
        else:
            os.chdir(planted_folder.parent)
        cli("train", "--data", "planted", "--model", "mf", "--run", "one", *quick_settings)

    started = pair(work)
    assert started.codes() == [1, 1]
    (sentence,) = sentences(started)
    assert sentence in started.text("err")[0]
    assert "but found that process 1 ended with: Expected" in sentence
    assert Run(tmp_path / "runs" / "one").status.message in sentence


def test_what_fails_in_both_is_said_once(
    pair, planted_folder: Path, quick_settings, monkeypatch
) -> None:
    def work(rank: int) -> None:
        monkeypatch.setattr(mf, "bpr_loss", lambda *_, **__: torch.tensor(torch.nan))
        cli("train", "--data", planted_folder, "--model", "mf", *quick_settings)

    started = pair(work)
    assert started.codes() == [1, 1]
    (sentence,) = sentences(started)
    assert "Expected finite losses and parameters in epoch 1" in sentence


def test_machines_with_other_data_are_refused(pair) -> None:
    def work(rank: int) -> str:
        with joined() as world:
            with pytest.raises(TrainingError) as refused:
                world.agree(torch.device("cpu"), {"the data set": f"digest-{rank}"})
            world.agree(torch.device("cpu"), {"the data set": "same"})
            return str(refused.value)

    first, second = pair(work).results()
    assert first == second
    assert "Expected the data set of process 0 (digest-0) in process 1" in first
    assert "found digest-1" in first


def test_a_missing_process_is_not_waited_for_for_ever(pair) -> None:
    def work(rank: int) -> str:
        if rank:
            return ""
        with pytest.raises(ConfigError) as refused, joined():
            pass
        return str(refused.value)

    began = time.monotonic()
    message, _ = pair(work, REDND_PEER_TIMEOUT="2").results()
    assert "Expected 2 processes to find each other" in message
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("seconds", ["soon", "0", "nan", "inf"])
def test_the_time_limit_is_a_number(monkeypatch, seconds: str) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("REDND_PEER_TIMEOUT", seconds)
    with pytest.raises(ConfigError, match="REDND_PEER_TIMEOUT"), joined():
        pass


@pytest.mark.parametrize("size", [None, "1"])
def test_alone_nothing_is_joined(monkeypatch, size: str | None) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    if size:
        monkeypatch.setenv("WORLD_SIZE", size)
    with joined() as world:
        assert world is ALONE
        assert not torch.distributed.is_initialized()
    with pytest.raises(DataError), joined():
        raise DataError(expected="this", found="that", remedy="pass it on")


# torchrun itself.


@pytest.fixture
def torchrun(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen]]:
    started: list[subprocess.Popen] = []

    def start(*arguments: object) -> subprocess.Popen:
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone",
                   "--nproc-per-node", "2", "-m", "--", "rednd_core", *map(str, arguments)]  # fmt: skip
        started.append(
            subprocess.Popen(
                command, cwd=PROJECT_ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
        )
        return started[-1]

    yield start
    for process in started:
        children = psutil.Process(process.pid).children() if process.poll() is None else []
        for each in (*children, process):
            each.kill()
        process.communicate()


def test_torchrun_train(torchrun, planted_folder: Path, tmp_path: Path, quick_settings) -> None:
    """It just works, stop included. (``--`` keeps torchrun from taking --run for its own.)"""
    process = torchrun("train", "--data", planted_folder, "--model", "lightgcn", "--json",
                       "--run", "both", *quick_settings, *LONG)  # fmt: skip
    folder = tmp_path / "runs" / "both"
    wait_for(lambda: folder.exists() and Run(folder).status.epoch > 1)
    send(Run(folder), Command(command="stop"))
    out, err = process.communicate(timeout=2 * END_SECONDS)
    assert process.returncode == 0, err
    (line,) = out.splitlines()
    found = json.loads(line)
    assert (found["run"], found["state"]) == ("both", "stopped")
    assert [err.count(f"epoch {number} ") for number in (1, 2)] == [1, 1]
    assert Run(folder).record.provenance.processes == 2
