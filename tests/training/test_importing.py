"""A checkpoint that anybody may have sent becomes a run, or leaves nothing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from rednd_core import confined
from rednd_core.config import DataConfig, RunConfig
from rednd_core.errors import ConfigError
from rednd_core.runs import Provenance, Run, RunRecord, RunStore, create_run, import_checkpoint
from rednd_core.training import experiment
from rednd_core.training.experiment import train_run
from rednd_core.training.importing import complete_import


@pytest.fixture
def finished_run(planted_folder: Path, tmp_path: Path, config) -> Run:
    settings = RunConfig(
        model="lightgcn",
        data=DataConfig(path=str(planted_folder)),
        hyperparameters={"embedding_size": 8},
        training=config(epochs=1),
    )
    record = RunRecord(config=settings, provenance=Provenance(seed=3))
    writer = create_run(tmp_path / "runs" / "one", record)
    train_run(writer)
    return Run(writer.path)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"hyperparameters": {"embedding_size": 10**9}}, "a valid value for embedding_size"),
        ({"hyperparameters": {"embedding_size": True}}, "numbers for embedding_size"),
        ({"hyperparameters": {"surprise": 1}}, "hyper-parameter of lightgcn among"),
        ({"model": "surprise"}, "a model among"),
    ],
)
def test_impossible_settings_are_refused_before_data_are_read(
    finished_run: Run, tmp_path: Path, monkeypatch, changes: dict, sentence: str
) -> None:
    sent = json.loads(finished_run.layout.config.read_text())
    sent["config"] |= changes
    store = RunStore(tmp_path / "elsewhere")
    checkpoint = finished_run.layout.best_checkpoint.read_bytes()
    if "model" in changes:
        checkpoint = checkpoint.replace(b'"model":"lightgcn"', b'"model":"surprise"')
    run = import_checkpoint(
        checkpoint, json.dumps(sent).encode(), store, data=finished_run.config.data.path
    )

    def read(data: DataConfig, digest: str | None) -> None:
        raise AssertionError("the data were read")

    monkeypatch.setattr(experiment, "load_recorded", read)
    with pytest.raises(ConfigError, match=sentence):
        complete_import(run)
    assert list(store.list()) == []


def test_whatever_ends_the_completion_leaves_no_run(
    finished_run: Run, tmp_path: Path, monkeypatch
) -> None:
    """A number of an epoch with 5,000 digits was a traceback, and the run stayed in the store."""
    store = RunStore(tmp_path / "elsewhere")
    layout = finished_run.layout
    content = layout.best_checkpoint.read_bytes()
    run = import_checkpoint(
        content, layout.config.read_bytes(), store, data=finished_run.config.data.path
    )

    def fail(*_args, **_kwargs) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(confined, "run", fail)
    with pytest.raises(KeyboardInterrupt):
        complete_import(run)
    assert list(store.list()) == []


@pytest.mark.confined
def test_a_checkpoint_is_completed_by_a_process_of_its_own(
    finished_run: Run, tmp_path: Path
) -> None:
    store = RunStore(tmp_path / "elsewhere")
    layout = finished_run.layout
    content = layout.best_checkpoint.read_bytes()
    run = import_checkpoint(
        content, layout.config.read_bytes(), store, data=finished_run.config.data.path
    )
    complete_import(run)
    assert run.status.state == "imported"
    assert run.evaluation() == finished_run.evaluation()
    for ours, theirs in zip(run.embeddings(), finished_run.embeddings(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
