"""The same imports in the process of their own that users get."""

from __future__ import annotations

import pytest

from rednd_core.runs import RunStore, import_archive, import_checkpoint
from tests.runs.transfer.archives import files_of, pack, refuse

pytestmark = pytest.mark.confined


def test_an_archive_and_a_checkpoint_arrive(finished, zipped: bytes, target: RunStore) -> None:
    run = import_archive(zipped, target)
    assert run.metrics().equals(finished.metrics())
    assert run.per_user().equals(finished.per_user())
    checkpoint = finished.layout.best_checkpoint.read_bytes()
    config = finished.layout.config.read_bytes()
    assert import_checkpoint(checkpoint, config, target).status.state == "imported"
    assert len(list(target.root.iterdir())) == 2


def test_what_is_wrong_is_said_as_ever(zipped: bytes, target: RunStore) -> None:
    files = files_of(zipped) | {"done/metrics.jsonl": b"not json\n"}
    refuse(pack(files), target, "in metrics.jsonl (in the archive), but found")
