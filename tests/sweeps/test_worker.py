"""What a worker finds when it is asked for a run, and what it makes of it."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
import torch

from rednd_core.atomic import write_json
from rednd_core.errors import RunError, StorageError, TrainingError
from rednd_core.runs import Provenance, Run, RunRecord, RunWriter, create_run
from rednd_core.runs.reading import read_record
from rednd_core.runs.record import ProcessRecord, StatusRecord
from rednd_core.sweeps import worker
from rednd_core.sweeps.campaign_files import Outcome
from rednd_core.sweeps.grid_points import make_point
from rednd_core.sweeps.worker import STOP_FILE, ensure_run
from rednd_core.training import run_log
from rednd_core.training.experiment import train_run
from rednd_core.training.later_test import record_test
from rednd_core.training.trainer import Trainer


@pytest.fixture
def config(make_plan):
    plan = make_plan()
    return make_point("s", plan.model, plan.data, plan.settings, {"n_layers": 2}).config


@pytest.fixture
def alone(train_alone, config) -> Run:
    return train_alone(config)


@pytest.fixture
def ensure(config, alone, tmp_path: Path):
    """``ensure(read_test, digest, config)`` -> Outcome, for the run ``one``."""
    campaign = tmp_path / "runs" / ".sweeps" / "s"
    campaign.mkdir(parents=True)
    data = alone.record.data.digest

    def ask(read_test=False, digest=data, config=config) -> Outcome:
        arguments = (config.model_dump_json(), digest, str(campaign), read_test)
        answer = ensure_run(str(tmp_path / "runs" / "one"), *arguments)
        return Outcome.model_validate_json(answer)

    return ask


@pytest.fixture
def one(tmp_path: Path) -> Run:
    return Run(tmp_path / "runs" / "one")


def begin(run: Run, config) -> RunWriter:
    return create_run(run.path, RunRecord(config=config, provenance=Provenance(seed=3)))


def die(run: Run) -> None:
    """Its status is that of a process that was killed."""
    process = ProcessRecord(pid=2**22 + 1, started=1.0, host=worker_host())
    old = read_record(StatusRecord, run.layout.status)
    write_json(run.layout.status, old.model_copy(update={"state": "running", "process": process}))
    assert run.status.state == "lost"


def worker_host() -> str:
    import socket

    return socket.gethostname()


def killed_in(run: Run, config, monkeypatch, epoch: int) -> None:
    """Train until a process is killed in the middle of ``epoch``."""
    step = Trainer.take_step

    def killed(self, phase, batch):
        if self.state.epoch == epoch - 1 and self.sampler.n_batches > 1:
            raise MemoryError
        return step(self, phase, batch)

    monkeypatch.setattr(Trainer, "take_step", killed)
    with pytest.raises(MemoryError):
        train_run(begin(run, config))
    monkeypatch.undo()
    die(run)


def assert_same(outcome: Outcome, run: Run, alone: Run) -> None:
    assert outcome.state == "finished"
    assert outcome.valid == run.evaluation().valid == alone.evaluation().valid
    columns = [c for c in alone.metrics() if "seconds" not in c]
    assert run.metrics()[columns].equals(alone.metrics()[columns])
    assert (run.layers()["id"][0] == alone.layers()["id"][0]).all()


def test_a_new_run(ensure, one, alone) -> None:
    outcome = ensure()
    assert_same(outcome, one, alone)
    assert outcome.test == {}
    assert torch.get_num_threads() == 1


def test_test_at_once_is_test_afterwards(ensure, one, alone, tmp_path) -> None:
    """``rednd study`` reads it in the training, ``rednd sweep`` later, from the stored embeddings."""
    first = ensure()
    later = ensure(read_test=True)
    assert later.test == alone.evaluation().test
    assert later.model_copy(update={"test": {}}) == first
    assert one.evaluation() == alone.evaluation()
    assert ensure(read_test=True) == later
    assert ensure() == first, "who did not ask for test is not told"


def test_nothing_is_done_twice(ensure, one) -> None:
    ensure()
    before = one.layout.metrics.stat().st_mtime_ns, one.layout.status.read_bytes()
    ensure()
    assert (one.layout.metrics.stat().st_mtime_ns, one.layout.status.read_bytes()) == before


def test_a_killed_run_goes_on_from_its_checkpoint(ensure, one, alone, config, monkeypatch) -> None:
    killed_in(one, config, monkeypatch, epoch=3)
    assert one.layout.last_place.exists()
    assert_same(ensure(), one, alone)
    assert one.events()[-1]["event"] == "continued"


def test_a_run_killed_before_a_checkpoint_begins_anew(
    ensure, one, alone, config, monkeypatch
) -> None:
    killed_in(one, config, monkeypatch, epoch=1)
    RunWriter(one.path).append_metrics({"epoch": 9, "losses": {"bpr": 7.0}})
    die(one)
    assert not one.layout.last_place.exists()
    assert_same(ensure(), one, alone)
    assert one.events() == []


def test_half_a_checkpoint_is_not_used(ensure, one, alone, config, monkeypatch) -> None:
    monkeypatch.setattr(run_log, "CHECKPOINT_SECONDS", 0.0)
    killed_in(one, config, monkeypatch, epoch=3)
    path = next(one.layout.checkpoints.glob("last.*.state.safetensors"))
    path.write_bytes(path.read_bytes()[:-100])
    assert_same(ensure(), one, alone)
    assert one.events() == [], "from the beginning"


def test_a_failed_run_is_tried_again(ensure, one, alone, config) -> None:
    begin(one, config).status("failed", message="no room")
    assert_same(ensure(), one, alone)


def test_divergence_is_an_outcome(ensure, one, monkeypatch) -> None:
    def explode(self, phase, batch):
        raise TrainingError(expected="a", found="b", remedy="c")

    monkeypatch.setattr(Trainer, "take_step", explode)
    outcome = ensure()
    assert (outcome.state, outcome.message) == ("failed", "Expected a, but found b; c.")
    assert one.status.state == "failed"


def test_other_accidents_are_exceptions(ensure, one, monkeypatch) -> None:
    """So that the scheduler tries again."""
    original = Trainer.take_step

    def explode(self, phase, batch):
        raise OSError("disk")

    monkeypatch.setattr(Trainer, "take_step", explode)
    with pytest.raises(StorageError, match="disk"):
        ensure()
    assert one.status.state == "failed"
    assert "the system refuses it (disk)" in one.status.message
    monkeypatch.setattr(Trainer, "take_step", original)
    assert ensure().state == "finished"


def test_two_writers_never_meet(ensure, one, alone, config, monkeypatch) -> None:
    """The scheduler took the first worker for lost, but it is still at work."""
    monkeypatch.setattr(worker, "POLL_SECONDS", 0.01)
    writer = begin(one, config)
    writer.status("running")
    answers: list[Outcome] = []
    second = threading.Thread(target=lambda: answers.append(ensure()))
    second.start()
    time.sleep(0.3)
    assert answers == []
    assert not one.layout.metrics.exists()
    train_run(writer, read_test=False)
    second.join(60)
    assert_same(answers[0], one, alone)
    assert one.events() == []


def test_a_stopped_sweep_begins_nothing(ensure, one, tmp_path) -> None:
    (tmp_path / "runs" / ".sweeps" / "s" / STOP_FILE).touch()
    assert ensure().state == "stopped"
    assert not one.path.exists()


def test_a_worker_elsewhere_says_so(ensure, one, tmp_path) -> None:
    (tmp_path / "runs" / ".sweeps" / "s").rmdir()
    with pytest.raises(RunError, match="which every worker must see under this path"):
        ensure()
    assert not one.path.exists()


def test_other_data_on_the_worker(ensure) -> None:
    with pytest.raises(RunError, match="with other content"):
        ensure(digest="0" * 32)


def test_other_settings(ensure, one, config) -> None:
    begin(one, config.model_copy(update={"model": "mf"}))
    die(one)
    with pytest.raises(RunError, match="the planned settings"):
        ensure()


def test_no_results_to_add_test_to(one, config) -> None:
    with pytest.raises(RunError, match="the validation results of run one"):
        record_test(begin(one, config))
