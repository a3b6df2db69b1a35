"""A checkpoint that anybody may have sent becomes a run, or leaves nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rednd_core.config import DataConfig, RunConfig
from rednd_core.errors import ConfigError
from rednd_core.runs import Provenance, RunRecord, RunStore, create_run, import_checkpoint
from rednd_core.training import experiment
from rednd_core.training.experiment import train_run
from rednd_core.training.importing import complete_import


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
    planted_folder: Path, tmp_path: Path, config, monkeypatch, changes: dict, sentence: str
) -> None:
    settings = RunConfig(
        model="lightgcn",
        data=DataConfig(path=str(planted_folder)),
        hyperparameters={"embedding_size": 8},
        training=config(epochs=1),
    )
    record = RunRecord(config=settings, provenance=Provenance(seed=3))
    writer = create_run(tmp_path / "runs" / "one", record)
    train_run(writer)
    sent = json.loads(writer.layout.config.read_text())
    sent["config"] |= changes
    store = RunStore(tmp_path / "elsewhere")
    checkpoint = writer.layout.best_checkpoint.read_bytes()
    if "model" in changes:
        checkpoint = checkpoint.replace(b'"model":"lightgcn"', b'"model":"surprise"')
    run = import_checkpoint(checkpoint, json.dumps(sent).encode(), store)

    def read(data: DataConfig) -> None:
        raise AssertionError("the data were read")

    monkeypatch.setattr(experiment, "load_configured", read)
    with pytest.raises(ConfigError, match=sentence):
        complete_import(run)
    assert list(store.list()) == []
