"""A run that is over goes on beyond its end, and on another device than it began on."""

from __future__ import annotations

import json

import pytest

from rednd_core.runs import Run, RunWriter, requeue
from rednd_core.runs.continuing import change_training, continued_training
from rednd_core.training.experiment import train_run
from tests.training.whole_runs import assert_same_results


@pytest.mark.parametrize("model", ["lightgcn", "rednnd"])
def test_more_epochs_equal_a_training_that_had_them_from_the_start(new_run, model: str) -> None:
    whole = new_run(model, "whole")
    train_run(whole)
    n_epochs = whole.record.config.training.epochs
    short = new_run(model, "short")
    change_training(short, short.record.config.training.model_copy(update={"epochs": 2}))
    train_run(short)
    run = Run(short.path)
    assert (run.status.state, run.status.epoch) == ("finished", 2)
    training = continued_training(run, {"epochs": n_epochs})
    requeue(short.path)
    writer = RunWriter(short.path)
    change_training(writer, training)
    train_run(writer, resume=True)
    assert_same_results(Run(whole.path), run)
    assert run.record.config == whole.record.config


def test_a_run_of_a_gpu_goes_on_on_a_cpu(new_run) -> None:
    """Its record names the device that it was trained on; its checkpoint holds no device."""
    writer = new_run("lightgcn", "gpu")
    train_run(writer)
    config = json.loads(writer.layout.config.read_text())
    config["config"]["training"] |= {"device": "cuda", "engine": "csr"}
    writer.layout.config.write_text(json.dumps(config))
    run = Run(writer.path)
    n_epochs = run.status.epoch
    training = continued_training(run, {"device": "cpu", "epochs": n_epochs + 1, "patience": 100})
    requeue(writer.path)
    again = RunWriter(writer.path)
    change_training(again, training)
    train_run(again, resume=True)
    assert run.status.epoch == n_epochs + 1
    assert run.record.config.training.device == "cpu"
