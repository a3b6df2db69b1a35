"""Features that a model does not read may come, change and go; those that it reads may not."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from rednd_core.config import DataConfig, RunConfig
from rednd_core.data import load_dataset
from rednd_core.errors import RunError
from rednd_core.library import load_run_data
from rednd_core.runs import Provenance, Run, RunRecord, RunWriter, create_run, requeue
from rednd_core.training.experiment import train_run


@pytest.fixture
def folder(planted_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(planted_folder, tmp_path / "planted"))


def trained(folder: Path, config, model: str, hyperparameters: dict) -> Run:
    settings = RunConfig(
        model=model,
        data=DataConfig(path=str(folder)),
        hyperparameters=hyperparameters,
        training=config(epochs=1),
    )
    record = RunRecord(config=settings, provenance=Provenance(seed=3))
    writer = create_run(folder.parent / "runs" / model, record)
    train_run(writer)
    return Run(writer.path)


def test_features_come_and_change_beside_a_model_of_ids(folder: Path, config) -> None:
    run = trained(folder, config, "lightgcn", {"embedding_size": 4})
    n_items = load_dataset(folder).n_items
    np.save(folder / "sound_feat.npy", np.ones((n_items, 3), np.float32))
    assert "sound" in load_run_data(run).features
    requeue(run.path)
    train_run(RunWriter(run.path), resume=True)
    for file in folder.glob("*_feat.npy"):
        file.unlink()
    assert load_run_data(run).n_items == n_items


def test_features_that_are_read_may_not_change(folder: Path, config) -> None:
    small = {"embedding_size": 4, "knn_k": 3}
    run = trained(folder, config, "rednnd", small)
    read = next(folder.glob("*_feat.npy"))
    np.save(read, np.load(read) + 1)
    with pytest.raises(RunError, match="with other content"):
        load_run_data(run)


def test_a_run_from_before_the_features_came(folder: Path, config) -> None:
    """Older runs have recorded one digest, which is that of the pairs where there were no features."""
    features = {file: np.load(file) for file in folder.glob("*_feat.npy")}
    for file in features:
        file.unlink()
    run = trained(folder, config, "lightgcn", {"embedding_size": 4})
    record = run.record
    older = record.data.model_copy(update={"pairs_digest": None, "reads_features": True})
    run.layout.config.write_text(record.model_copy(update={"data": older}).model_dump_json())
    for file, values in features.items():
        np.save(file, values)
    assert load_run_data(run).features


def test_other_pairs_are_other_data(folder: Path, config) -> None:
    run = trained(folder, config, "lightgcn", {"embedding_size": 4})
    with (folder / "interactions.csv").open("a") as file:
        file.write("ann-0,sku-29,0\n")
    with pytest.raises(RunError, match="with other content"):
        load_run_data(run)
