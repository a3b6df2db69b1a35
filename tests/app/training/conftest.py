"""Runs of random layers, and a start that starts no process."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from app import cached
from app.home import view as home
from rednd_core import jobs
from rednd_core.atomic import write_json
from rednd_core.config import DataConfig, RunConfig, TrainingConfig
from rednd_core.runs import (
    DataFacts,
    Provenance,
    RunRecord,
    RunStore,
    RunWriter,
    create_run,
)
from rednd_core.runs.liveness import process_record
from tests.app.training.page import FACTS, N_ITEMS, N_USERS, row


@pytest.fixture(autouse=True)
def without_home(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page links need the menu, not Home's maps."""
    monkeypatch.setattr(home, "render", lambda: None)


@pytest.fixture
def add_run(store: RunStore) -> Callable[..., RunWriter]:
    """``add_run(name, state, epochs)``: a run of random layers; a living one is this process's.

    With ``is_job`` it is one of the queue.
    """

    def add(
        name: str = "demo",
        state: str = "running",
        n_epochs: int = 3,
        *,
        is_job: bool = False,
        **own: Any,
    ) -> RunWriter:
        settings = own if own else {"alignment_weight": 0.001}
        config = RunConfig(
            model="rednnd" if "alignment_weight" in settings else "lightgcn",
            data=DataConfig(path="sample_data/shop"),
            hyperparameters=settings,
            training=TrainingConfig(epochs=50),
        )
        data = DataFacts(
            name="shop",
            digest="ab",
            n_users=N_USERS,
            n_items=N_ITEMS,
            n_train=9,
            n_valid=1,
            n_test=1,
        )
        record = RunRecord(config=config, provenance=Provenance(seed=1), data=data, model=FACTS)
        writer = create_run(store.root / name, record)
        for epoch in range(1, n_epochs + 1):
            writer.append_metrics(row(epoch, settings))
        layers = np.random.default_rng(0).normal(size=(2, 3, N_USERS + N_ITEMS, 4))
        stacks = dict(zip(FACTS.modalities, layers.astype(np.float32), strict=True))
        if n_epochs:
            first = stacks["image"][0]
            writer.save_layers(
                {m: list(s) for m, s in stacks.items()},
                first[:N_USERS],
                first[N_USERS:],
                epoch=n_epochs,
            )
        if is_job:
            write_json(writer.layout.job, process_record(os.getpid()))
        writer.status(state, epoch=n_epochs, best_epoch=min(2, n_epochs), message="So it *goes*")
        cached.run_entries.clear()  # a second old, they may be without this run
        return writer

    return add


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, store: RunStore) -> list[tuple[RunConfig, str | None]]:
    """What the form hands to ``start_training``, which makes a queued run and no process."""
    calls: list[tuple[RunConfig, str | None]] = []

    def start(config: RunConfig, into: RunStore, name: str | None = None) -> Any:
        calls.append((config, name))
        record = RunRecord(config=config, provenance=Provenance(seed=0))
        writer = create_run(into.root / (name or "auto"), record)
        writer.heartbeat()
        write_json(
            writer.layout.job, process_record(os.getpid())
        )  # this process counts as the job's
        return into.open(writer.path.name)

    def together(trainings: dict[str, RunConfig], into: RunStore) -> list[Any]:
        return [start(config, into, name) for name, config in trainings.items()]

    monkeypatch.setattr(jobs, "start_training", start)
    monkeypatch.setattr(jobs, "start_together", together)
    return calls
