"""Plans on the planted data set, and a pool that trains one point after the other in this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rednd_core.config import DataConfig
from rednd_core.errors import RedndError
from rednd_core.runs import Provenance, RunRecord, RunStore, create_run
from rednd_core.sweeps.campaign_files import Outcome
from rednd_core.sweeps.grid_points import Axis
from rednd_core.sweeps.sweep import SweepPlan
from rednd_core.sweeps.worker import ensure_run
from rednd_core.training.experiment import train_run

SETTINGS = {
    "epochs": 4,
    "batch_size": 64,
    "embedding_size": 8,
    "learning_rate": 0.02,
    "ks": [5],
    "select_by": "recall@5",
    "device": "cpu",
    "engine": "csr",
    "seed": 3,
}


class SerialPool:
    """What a cluster does, without one. Stops by itself after ``stop_after`` jobs."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.stopping, self.trained, self._stop_after = False, [], stop_after

    def stop(self) -> None:
        self.stopping = True

    def n_parallel(self, jobs) -> int:
        return 1

    def run(self, jobs, done: Callable) -> None:
        for job in jobs:
            if len(self.trained) == self._stop_after:
                self.stop()
            if self.stopping:
                job.ask_to_stop()
            else:
                self.trained.append(job.point.run)
            try:
                outcome = Outcome.model_validate_json(ensure_run(*job.arguments))
            except RedndError as error:
                outcome = error
            done(job, outcome)


class Diary:
    """A report that keeps what it is told."""

    def __init__(self) -> None:
        self.begun_with, self.points = [], []

    def begun(self, record, n_points, n_parallel) -> None:
        self.begun_with.append((n_points, n_parallel))

    def point(self, point, progress) -> None:
        self.points.append((point, progress))


@pytest.fixture
def pool() -> SerialPool:
    return SerialPool()


@pytest.fixture
def diary() -> Diary:
    return Diary()


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "runs")


@pytest.fixture
def make_plan(planted_folder: Path):
    """``make_plan(staged, settings, n_layers=(1, 2), ...)``: a plan for LightGCN."""

    def make(staged=False, settings=(), model="lightgcn", data=None, **grid) -> SweepPlan:
        axes = grid or {"n_layers": (1, 2), "learning_rate": (0.02, 0.1)}
        common = SETTINGS | dict(settings)
        return SweepPlan(
            data=DataConfig(path=str(data or planted_folder)),
            model=model,
            settings={key: value for key, value in common.items() if key not in axes},
            grid=tuple(Axis(key=key, values=values) for key, values in axes.items()),
            staged=staged,
        )

    return make


@pytest.fixture
def train_alone(tmp_path: Path):
    """``train_alone(config)``: the Run that ``rednd train`` would leave, in another store."""
    from rednd_core.runs import Run

    def train(config) -> Run:
        folder = tmp_path / "alone" / f"run-{len(list((tmp_path / 'alone').glob('*')))}"
        record = RunRecord(config=config, provenance=Provenance(seed=config.training.seed))
        train_run(create_run(folder, record))
        return Run(folder)

    (tmp_path / "alone").mkdir()
    return train
