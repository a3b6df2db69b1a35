"""A small complete run: 3 users, 2 items, one modality, 2 layers, embedding size 4."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save

from rednd_core.config import DataConfig, RunConfig
from rednd_core.runs import (
    DataFacts,
    EvaluationRecord,
    ModelFacts,
    Provenance,
    Run,
    RunRecord,
    RunStore,
    create_run,
    export,
)
from rednd_core.runs.snapshots import SnapshotWriter

FACTS = ModelFacts.uniform(("id",), 2, 4)
DATA = DataFacts(name="shop", digest="ab12", n_users=3, n_items=2, n_train=5, n_valid=1, n_test=1)


@pytest.fixture
def record() -> RunRecord:
    config = RunConfig(model="lightgcn", data=DataConfig(path="sample_data/shop"))
    return RunRecord(config=config, provenance=Provenance(seed=999), data=DATA, model=FACTS)


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "runs")


@pytest.fixture
def arrays():
    """``arrays(value)``: layers, user_emb, item_emb filled with ``value``."""

    def make(value: float):
        full = np.full((5, 4), value, dtype=np.float32)
        return {"id": [full, full + 1, full + 2]}, full[:3], full[3:]

    return make


@pytest.fixture
def checkpoint() -> bytes:
    parameters = {"embedding": np.arange(20, dtype=np.float32).reshape(5, 4)}
    return save(parameters, {"format": "rednd-1", "model": "lightgcn", "epoch": "2"})


@pytest.fixture
def finished(store: RunStore, record: RunRecord, arrays, checkpoint: bytes):
    """A finished run with every file, called ``done``."""
    writer = create_run(store.root / "done", record)
    writer.status("running", epoch=1)
    writer.append_metrics({"epoch": 1, "losses": {"bpr": 0.5}, "valid": {"recall@20": 0.1}})
    writer.append_event("paused", epoch=1)
    writer.append_metrics({"epoch": 2, "losses": {"bpr": 0.25}, "valid": {"recall@20": 0.2}})
    writer.save_layers(*arrays(7.0), epoch=2)
    snapshots = SnapshotWriter(writer.layout, np.array([0, 2, 4]), FACTS.widths, n_nodes=5, epoch=0)
    for epoch in range(3):
        layers, _, _ = arrays(float(epoch))
        snapshots.write(epoch, {"id": [layer[[0, 2, 4]] for layer in layers["id"]]})
    writer.save_evaluation(
        EvaluationRecord(
            epoch=2, valid={"recall@20": 0.2}, test={"recall@20": None}, n_users={"valid": 1}
        )
    )
    writer.save_per_user(
        pd.DataFrame({"user": [0, 2], "split": ["valid", "test"], "recall@20": [0.5, 1.0]})
    )
    writer.layout.best_checkpoint.write_bytes(checkpoint)
    (writer.layout.checkpoints / "last.json").write_text('{"epoch": 2}')
    writer.layout.log.write_text("epoch 1\nepoch 2\n")
    writer.status("finished", epoch=2, best_epoch=2)
    return store.open("done")


@pytest.fixture
def zipped(finished: Run, tmp_path: Path) -> bytes:
    """The finished run as somebody exported it."""
    return export(finished, tmp_path / "done.zip").read_bytes()
