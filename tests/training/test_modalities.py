"""A data set that the check calls usable trains, whatever its modalities are called."""

from __future__ import annotations

import shutil
from pathlib import Path

from rednd_core.config import DataConfig, RunConfig
from rednd_core.data import check
from rednd_core.runs import Provenance, RunRecord, RunStore, create_run, export, import_archive
from rednd_core.training.experiment import train_run


def renamed(source: Path, folder: Path, names: dict[str, str]) -> Path:
    shutil.copytree(source, folder)
    for old, new in names.items():
        (folder / f"{old}_feat.npy").rename(folder / f"{new}_feat.npy")
    return folder


def test_capitals_and_dashes_train_and_travel(planted_folder: Path, tmp_path: Path, config) -> None:
    data = renamed(planted_folder, tmp_path / "own", {"image": "CLIP-image", "text": "Text"})
    assert check(data).ok
    settings = RunConfig(
        model="rednnd",
        data=DataConfig(path=str(data)),
        hyperparameters={"embedding_size": 4, "knn_k": 3},
        training=config(epochs=1),
    )
    record = RunRecord(config=settings, provenance=Provenance(seed=3))
    store = RunStore(tmp_path / "runs")
    train_run(create_run(store.root / "one", record))
    run = store.open("one")
    assert run.record.model.modalities == ("CLIP-image", "Text")
    assert set(run.layers()) == {"CLIP-image", "Text"}
    archive = export(run, tmp_path / "one.zip")
    copy = import_archive(archive, RunStore(tmp_path / "elsewhere"))
    assert set(copy.layers()) == {"CLIP-image", "Text"}


def test_two_modalities_of_one_name_are_found_by_the_check(
    planted_folder: Path, tmp_path: Path
) -> None:
    data = renamed(planted_folder, tmp_path / "own", {"text": "IMAGE"})
    (error,) = check(data).errors
    assert "IMAGE_feat.npy and image_feat.npy" in error
