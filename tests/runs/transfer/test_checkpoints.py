"""A checkpoint and its config.json become a run; other checkpoints and configs are refused."""

from __future__ import annotations

import numpy as np
import pytest

from rednd_core.errors import CheckpointError
from rednd_core.runs import RunStore, import_checkpoint
from tests.runs.transfer.archives import HOSTILE_SAFETENSORS


def test_a_checkpoint_with_its_config(record, checkpoint: bytes, target: RunStore) -> None:
    run = import_checkpoint(checkpoint, record.model_dump_json().encode(), target)
    assert (run.name, run.status.state) == ("lightgcn-shop-1", "imported")
    assert run.record == record
    assert run.layout.best_checkpoint.read_bytes() == checkpoint
    assert run.layer_version is None
    assert target.list()[0].problem == ""


@pytest.mark.parametrize("kind", HOSTILE_SAFETENSORS)
def test_hostile_checkpoints(record, target: RunStore, kind: str) -> None:
    with pytest.raises(CheckpointError, match="a whole safetensors file in best"):
        import_checkpoint(HOSTILE_SAFETENSORS[kind], record.model_dump_json().encode(), target)
    assert list(target.root.iterdir()) == []


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        {"format": "rednd-2", "model": "lightgcn", "epoch": "1"},
        {"format": "rednd-1", "model": "bpr", "epoch": "1"},
        {"format": "rednd-1", "model": "lightgcn", "epoch": "one"},
        {"format": "rednd-1", "model": "lightgcn", "epoch": "9" * 5_000},
        {"format": "rednd-1", "model": "lightgcn", "epoch": "\u0663"},
        {"format": "rednd-1", "model": "lightgcn"},
    ],
)
def test_checkpoints_of_other_runs(record, target: RunStore, metadata) -> None:
    from safetensors.numpy import save

    content = save({"a": np.zeros(1, np.float32)}, metadata)
    with pytest.raises(CheckpointError, match="with the metadata"):
        import_checkpoint(content, record.model_dump_json().encode(), target)
    assert list(target.root.iterdir()) == []


@pytest.mark.parametrize("config", [b"", b"{}", b"[" * 90_000, b" " * 5_000_000])
def test_checkpoints_with_a_broken_config(target: RunStore, checkpoint, config: bytes) -> None:
    with pytest.raises(CheckpointError, match=r"a (valid )?config"):
        import_checkpoint(checkpoint, config, target)
    assert list(target.root.iterdir()) == []
