"""A run in its folder goes on after a stop, a crash or no saving at all, and its record says so."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from rednd_core.errors import RunError
from rednd_core.runs import Command, Run, RunWriter, alignment_weight, requeue, send
from rednd_core.training import run_log
from rednd_core.training.callbacks import Callback
from rednd_core.training.experiment import train_run
from tests.training.whole_runs import StopAt, assert_same_results


@pytest.mark.parametrize("model", ["lightgcn", "rednnd"])
@pytest.mark.parametrize("place", [(2, 3), (3, 5)])
def test_stop_and_resume_in_the_folder(new_run, model: str, place: tuple[int, int]) -> None:
    train_run(new_run(model, "whole"))
    stopped = new_run(model, "stopped")
    summary = train_run(stopped, watch=[StopAt(stopped.path, *place)])
    assert summary.state == Run(stopped.path).status.state == "stopped"
    created = Run(stopped.path).record.provenance.created
    requeue(stopped.path)
    torch.manual_seed(4)
    train_run(RunWriter(stopped.path), resume=True)
    run = Run(stopped.path)
    assert_same_results(Run(stopped.path.with_name("whole")), run)
    assert [event["event"] for event in run.events()] == ["stopped", "continued"]
    assert run.record.provenance.created == created


def test_a_crash_is_resumed_from_the_last_saving(new_run, monkeypatch) -> None:
    monkeypatch.setattr(run_log, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(run_log, "MAX_SHARE", 1e9)
    train_run(new_run(name="whole"))

    class Crash(Callback):
        def on_batch(self, trainer, progress) -> None:
            if (progress.epoch, progress.batch) == (4, 2):
                raise MemoryError

    crashed = new_run(name="crashed")
    with pytest.raises(MemoryError):
        train_run(crashed, watch=[Crash()])
    crashed.status("failed")
    requeue(crashed.path)
    train_run(RunWriter(crashed.path), resume=True)
    assert_same_results(Run(crashed.path.with_name("whole")), Run(crashed.path))


def test_a_weight_that_a_crash_lost_is_not_in_the_record(new_run, monkeypatch) -> None:
    """Set after the only saving: the resume trains with the weight before."""
    monkeypatch.setattr(run_log, "CHECKPOINT_SECONDS", 1e9)
    crashed = new_run("rednnd")
    run = Run(crashed.path)

    class MoveThenCrash(Callback):
        def on_batch(self, trainer, progress) -> None:
            if (progress.epoch, progress.batch) == (3, 2):
                send(run, Command(command="set_weight", loss="alignment", value=0.5))
            if (progress.epoch, progress.batch) == (5, 1):
                raise MemoryError

    with pytest.raises(MemoryError):
        train_run(crashed, watch=[MoveThenCrash()])
    (event,) = run.events()
    assert (event["event"], event["epoch"], event["batch"]) == ("set_weight", 2, 2)
    crashed.status("failed")
    requeue(crashed.path)
    train_run(RunWriter(crashed.path), resume=True)
    assert set(run.metrics()["weights.alignment"]) == {0.01}
    assert run.metrics()["epoch"].tolist() == [1, 2, 3, 4, 5, 6]
    (event,) = run.events()
    assert (event["event"], event["epoch"], event["batch"]) == ("continued", 1, 0)
    assert event["weights"]["alignment"] == 0.01
    assert str(alignment_weight(run)) == "0.01"


def test_a_run_that_crashed_before_a_saving_begins_again(new_run) -> None:
    crashed = new_run(epochs=2)
    crashed.append_metrics({"epoch": 1, "losses": {"bpr": 9.0}})
    crashed.append_event("set_weight", epoch=1, batch=2, loss="regularization", value=7.0)
    train_run(RunWriter(crashed.path))
    run = Run(crashed.path)
    assert run.metrics()["epoch"].tolist() == [1, 2]
    assert run.metrics()["losses.bpr"].iloc[0] < 9
    assert [event["event"] for event in run.events()] == ["continued"]


def test_resume_refuses_another_data_set(new_run, planted_folder: Path, tmp_path: Path) -> None:
    data = tmp_path / "copy"
    shutil.copytree(planted_folder, data)
    writer = new_run(data=data)
    train_run(writer, watch=[StopAt(writer.path, 1, 2)])
    table = data / "interactions.csv"
    lines = table.read_text().splitlines()
    table.write_text("\n".join(lines[:-12] + lines[-11:]) + "\n")
    record = Run(writer.path).record
    requeue(writer.path)
    with pytest.raises(RunError, match="the data set copy that the run was trained on"):
        train_run(RunWriter(writer.path), resume=True)
    assert Run(writer.path).record == record, "the record still says what it was trained on"
