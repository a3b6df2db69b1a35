"""Trainers on the planted data set, and what they leave behind."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from rednd_core.config import DataConfig, RunConfig, TrainingConfig
from rednd_core.modeling.inputs import build_inputs
from rednd_core.modeling.registry import create_model
from rednd_core.runs import Command, Provenance, RunRecord, RunWriter, create_run
from rednd_core.training.callbacks import Callback, EpochReport, Progress
from rednd_core.training.distributed import ALONE
from rednd_core.training.trainer import Trainer

pytest.register_assert_rewrite("tests.training.whole_runs")

SETTINGS = {
    "lightgcn": {"embedding_size": 8},
    "rednnd": {"embedding_size": 4, "knn_k": 3, "alignment_weight": 0.01},
    "gcn": {"embedding_size": 8},
    "mf": {"embedding_size": 8},
    "popularity": {},
}


class Diary(Callback):
    """Everything that a trainer reports, and its last parameters, in order."""

    def __init__(self) -> None:
        self.reports: list[EpochReport] = []
        self.batches: list[tuple[int, int]] = []
        self.events: list[tuple[str, dict[str, Any], tuple[int, int]]] = []
        self.waits = 0
        self.last: dict[str, torch.Tensor] = {}
        self.moments: dict[str, torch.Tensor] = {}

    def on_batch(self, trainer: Trainer, progress: Progress) -> None:
        self.batches.append((progress.epoch, progress.batch))

    def on_wait(self, trainer: Trainer) -> None:
        self.waits += 1

    def on_event(self, trainer: Trainer, event: str, details: Mapping[str, object]) -> None:
        self.events.append((event, dict(details), self.batches[-1] if self.batches else (1, 0)))

    def on_epoch(self, trainer: Trainer, report: EpochReport) -> None:
        self.reports.append(report)

    def on_end(self, trainer: Trainer) -> None:
        self.last = {k: v.clone() for k, v in trainer.model.state_dict().items()}
        self.moments = {
            f"{name}.{key}": moment.clone()
            for name, optimizer in trainer.optimizers.items()
            for key, moment in optimizer.state().items()
        }

    @property
    def rows(self) -> list[tuple]:
        """Reports without their times."""
        return [
            (r.epoch, dict(r.losses), dict(r.weights), dict(r.valid), r.improved)
            for r in self.reports
        ]


class Script:
    """``poll`` that hands out commands before the given batches, counted from 0."""

    def __init__(self, commands: Mapping[int, list[Command]] | None = None) -> None:
        self.commands, self.asked = dict(commands or {}), -1

    def __call__(self) -> list[Command]:
        self.asked += 1
        return self.commands.pop(self.asked, [])


@pytest.fixture
def config():
    """``config(**changes)``: 5 batches an epoch."""

    def make(**changes) -> TrainingConfig:
        values = {
            "epochs": 6,
            "batch_size": 64,
            "learning_rate": 0.02,
            "ks": (5,),
            "select_by": "recall@5",
            "seed": 3,
            "device": "cpu",
        }
        return TrainingConfig(**(values | changes))

    return make


@pytest.fixture
def make_trainer(planted, config):
    """``make_trainer(name, commands, split, seed, settings, world, **changes)`` -> (trainer, diary)."""

    def make(
        name="lightgcn",
        commands=None,
        *,
        split=None,
        seed=0,
        settings=None,
        more=(),
        world=ALONE,
        **changes,
    ):
        torch.manual_seed(seed)
        inputs = build_inputs(planted, engine="csr")
        model = create_model(name, SETTINGS[name] | (settings or {}), inputs)
        diary = Diary()
        trainer = Trainer(
            model,
            split or planted.split,
            config(**changes),
            callbacks=[diary, *more],
            poll=Script(commands),
            world=world,
        )
        return trainer, diary

    return make


@pytest.fixture
def stop() -> Command:
    return Command(command="stop")


@pytest.fixture
def new_run(planted_folder: Path, tmp_path: Path, config):
    """``new_run(model, name, **training)``: the writer of a queued run."""

    from tests.training.whole_runs import MODELS  # not before its asserts can be rewritten

    def make(model="lightgcn", name="one", data=planted_folder, **training) -> RunWriter:
        settings = RunConfig(
            model=model,
            data=DataConfig(path=str(data)),
            hyperparameters=MODELS[model],
            training=config(**training),
        )
        record = RunRecord(config=settings, provenance=Provenance(seed=3))
        return create_run(tmp_path / "runs" / name, record)

    return make
