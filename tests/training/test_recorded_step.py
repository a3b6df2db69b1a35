"""Recorded steps: the same training as without, whatever changes on the way."""

from __future__ import annotations

import functools
import logging

import pytest
import torch

from rednd_core.config import TrainingConfig
from rednd_core.modeling import rows
from rednd_core.modeling.inputs import build_inputs
from rednd_core.modeling.registry import create_model
from rednd_core.runs import Command
from rednd_core.training.recorded_step import WARM_UP_STEPS, RecordedStep
from rednd_core.training.trainer import Trainer
from tests.training.tape import Tape

N_BATCHES = 5  # 280 train pairs, 64 a batch; the last one has 24


@pytest.fixture(autouse=True)
def _shapes_are_fixed(monkeypatch) -> None:
    monkeypatch.setattr(rows, "_keeps_shapes", lambda ids: True)


def on_tape(trainer: Trainer, tape: Tape) -> None:
    step = trainer.steps["joint"]
    trainer.steps["joint"] = RecordedStep(step, trainer.model, trainer.config.batch_size, tape)


@pytest.mark.parametrize("name", ["mf", "gcn", "lightgcn", "rednnd"])
def test_the_same_training(make_trainer, name: str) -> None:
    tape = Tape()
    plain, diary = make_trainer(name, epochs=3)
    plain.fit()
    recorded, other = make_trainer(name, epochs=3)
    on_tape(recorded, tape)
    recorded.fit()
    assert other.rows == diary.rows
    for key, value in diary.last.items():
        assert torch.equal(other.last[key], value), key
    whole = 3 * (N_BATCHES - 1)
    assert (tape.n_run, tape.n_recorded) == (WARM_UP_STEPS, 1)
    assert tape.n_replayed == whole - WARM_UP_STEPS


def test_a_moved_weight_is_recorded_anew(make_trainer) -> None:
    """From 0 the step gets a loss that it did not have."""
    commands = {7: [Command(command="set_weight", loss="alignment", value=0.5)]}
    diaries = []
    for tape in (None, Tape()):
        settings = {"alignment_weight": 0.0}
        trainer, diary = make_trainer("rednnd", commands, settings=settings, epochs=4)
        if tape:
            on_tape(trainer, tape)
        trainer.fit()
        diaries.append(diary)
    assert diaries[0].rows == diaries[1].rows
    assert "alignment" in diaries[1].reports[-1].losses
    assert (tape.n_run, tape.n_recorded) == (2 * WARM_UP_STEPS, 2)


def test_what_cannot_be_recorded_goes_on_without(make_trainer, caplog) -> None:
    plain, diary = make_trainer("lightgcn", epochs=2)
    plain.fit()
    trainer, other = make_trainer("lightgcn", epochs=2)
    tape = Tape("operation not permitted when stream is capturing\nmore")
    on_tape(trainer, tape)
    with caplog.at_level(logging.WARNING, logger="rednd_core"):
        trainer.fit()
    assert other.rows == diary.rows
    (record,) = caplog.records
    assert record.getMessage().endswith("operation not permitted when stream is capturing")
    assert tape.n_run == WARM_UP_STEPS


@pytest.mark.gpu
@pytest.mark.parametrize("name", ["mf", "gcn", "lightgcn", "rednnd"])
def test_on_the_gpu_recorded_and_not(planted, name: str) -> None:
    training = TrainingConfig(
        batch_size=64, epochs=3, learning_rate=0.01, ks=(5,), select_by="recall@5"
    )
    models = []
    for is_recorded in (True, False):
        torch.manual_seed(0)
        model = create_model(name, {}, build_inputs(planted, device="cuda"))
        trainer = Trainer(model, planted.split, training)
        assert isinstance(trainer.steps["joint"], RecordedStep)
        if not is_recorded:
            phase = model.phases()[0]
            trainer.steps["joint"] = functools.partial(trainer.take_step, phase)
        trainer.fit()
        if is_recorded:
            assert trainer.steps["joint"]._replay is not None, "nothing was recorded"
        models.append(model)
    for mine, other in zip(*(m.state_dict().values() for m in models), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-3, atol=1e-5)
