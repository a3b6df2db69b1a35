from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from rednd_core.errors import RunError
from rednd_core.readout import Readout
from rednd_core.runs import ModelFacts, Run, RunWriter, create_run, layers


def test_layers_are_memory_mapped_and_of_one_epoch(finished: Run) -> None:
    index = finished.layers()
    assert list(index) == ["id"]
    assert [float(x[0, 0]) for x in index["id"]] == [7.0, 8.0, 9.0]
    assert all(isinstance(x, np.memmap) and not x.flags.writeable for x in index["id"])
    assert (index.epoch, index.facts.readout) == (2, Readout("mean"))
    assert index.version == finished.layer_version


def test_old_maps_survive_a_rewriting_and_the_version_changes(finished: Run, arrays) -> None:
    old = finished.layers()
    RunWriter(finished.path).save_layers(*arrays(70.0), epoch=2)
    new = finished.layers()
    assert float(old["id"][0][0, 0]) == 7.0
    assert float(new["id"][0][0, 0]) == 70.0
    assert new.version != old.version


def test_readers_never_see_two_epochs_mixed(finished: Run, arrays) -> None:
    writer, done = RunWriter(finished.path), threading.Event()

    def rewrite() -> None:
        for epoch in range(100, 160):
            writer.save_layers(*arrays(float(epoch)), epoch=epoch)
        done.set()

    writer.save_layers(*arrays(99.0), epoch=99)
    thread = threading.Thread(target=rewrite)
    thread.start()
    seen = set()
    while not done.is_set():
        index = finished.layers()
        values = [float(x[0, 0]) - depth for depth, x in enumerate(index["id"])]
        values += [float(index.user_emb[0, 0]), float(index.item_emb[0, 0])]
        assert values == [index.epoch] * 5
        seen.add(index.epoch)
    thread.join()
    assert len(seen) > 1


def test_no_layers_is_said_at_once(store, record) -> None:
    run = Run(create_run(store.root / "r", record).path)
    start = time.monotonic()
    with pytest.raises(RunError, match="layers in run r"):
        run.layers()
    assert time.monotonic() - start < layers.PATIENCE_SECONDS / 2


def test_a_writer_that_died_while_renaming_is_not_waited_for_forever(
    finished: Run, monkeypatch
) -> None:
    monkeypatch.setattr(layers, "PATIENCE_SECONDS", 0.05)
    finished.layout.layer_index.unlink()
    with pytest.raises(RunError, match="none complete"):
        finished.layers()


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (np.zeros((5, 3), np.float32), "float32 of shape (5, 3)"),
        (np.zeros((5, 4), np.float64), "float64 of shape (5, 4)"),
        (b"", "No data left"),
        (b"\x93NUMPY\x01\x00\x10\x00{'descr': oops  \n", "EOF in multi-line"),
        (None, "no such file"),
    ],
)
def test_foreign_arrays_are_named(finished: Run, content, found: str) -> None:
    path = finished.layout.layer("id", 1)
    path.unlink()
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        np.save(path, content)
    with pytest.raises(RunError) as caught:
        finished.layers()
    assert "done/layers/id_1.npy" in str(caught.value)
    assert found in str(caught.value)


def test_a_broken_index_is_named_with_its_run(finished: Run) -> None:
    finished.layout.layer_index.write_text("{}")
    with pytest.raises(RunError, match=r"a valid done/layers/index\.json"):
        finished.layers()
    with pytest.raises(RunError, match=r"a valid done/layers/index\.json"):
        _ = finished.layer_version


def test_embeddings_must_cover_the_nodes(finished: Run) -> None:
    np.save(finished.layout.users, np.zeros((4, 4), np.float32))
    with pytest.raises(RunError, match="5 rows together, equally wide, in done/layers"):
        finished.layers()


def test_arrays_that_contradict_the_record_are_refused(finished: Run, arrays) -> None:
    writer, (good, user_emb, item_emb) = RunWriter(finished.path), arrays(1.0)
    version = finished.layer_version
    for bad in ({"id": good["id"][:2]}, {"image": good["id"]}, {"id": [x[:4] for x in good["id"]]}):
        with pytest.raises(RunError, match=r"layers of the shapes.*\(5, 4\), \(5, 4\), \(5, 4\)"):
            writer.save_layers(bad, user_emb, item_emb, epoch=3)
    assert finished.layer_version == version


def test_layers_need_described_models(store, record, arrays) -> None:
    bare = record.model_copy(update={"data": None, "model": None})
    writer = create_run(store.root / "r", bare)
    with pytest.raises(RunError, match="call describe"):
        writer.save_layers(*arrays(1.0), epoch=1)
    writer.describe(record.provenance, record.data, record.model)
    writer.save_layers(*arrays(1.0), epoch=1)
    assert isinstance(Run(writer.path).record.model, ModelFacts)
    assert Run(writer.path).layers().epoch == 1
