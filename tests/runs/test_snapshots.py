"""Snapshots in a run folder: what a reader gets, whatever lies there, and which old ones a writer keeps."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from rednd_core import atomic
from rednd_core.errors import RunError
from rednd_core.runs import Run
from rednd_core.runs.snapshots import MOST_VALUE, SnapshotWriter
from tests.runs.conftest import FACTS

NODES = np.array([0, 2, 4])


def write(run: Run, epoch: int, value: float) -> None:
    rows = [np.full((3, 4), value + layer, np.float32) for layer in range(3)]
    begin(run, epoch).write(epoch, {"id": rows})


def begin(run: Run, epoch: int, nodes: np.ndarray = NODES, widths=FACTS.widths) -> SnapshotWriter:
    return SnapshotWriter(run.layout, nodes, widths, n_nodes=5, epoch=epoch)


def test_a_reader_gets_what_was_written(finished: Run) -> None:
    found = finished.snapshots()
    assert (found.epochs, found.nodes.tolist(), found.is_complete) == ((0, 1, 2), [0, 2, 4], False)
    for epoch in found.epochs:
        layers = found.layers(epoch)["id"]
        assert [(x.shape, x.dtype.name, float(x[0, 0])) for x in layers] == [
            ((3, 4), "float32", epoch + layer) for layer in range(3)
        ]


def test_a_run_without_snapshots_has_none(finished: Run) -> None:
    for path in finished.layout.snapshots.iterdir():
        path.unlink()
    assert finished.snapshots() is None
    finished.layout.snapshots.rmdir()
    assert finished.snapshots() is None


def test_going_on_keeps_the_earlier_and_drops_the_later(finished: Run) -> None:
    version = finished.snapshots().version
    begin(finished, 1)
    assert finished.snapshots().epochs == (0, 1)
    write(finished, 2, 9.0)
    assert [float(x[0, 0]) for x in finished.snapshots().layers(2)["id"]] == [9, 10, 11]
    assert finished.snapshots().version == version  # the same training goes on
    begin(finished, 0)
    assert finished.snapshots().version != version


@pytest.mark.parametrize(
    ("nodes", "widths"), [(np.array([0, 1, 4]), FACTS.widths), (NODES, {"id": (4,)})]
)
def test_snapshots_of_other_rows_go(finished: Run, nodes, widths) -> None:
    begin(finished, 2, nodes, widths)
    found = finished.snapshots()
    assert found.epochs == ()
    assert found.nodes.tolist() == nodes.tolist()


def test_numbers_beyond_half_precision_stay_finite(finished: Run) -> None:
    write(finished, 3, 1e30)
    assert float(finished.snapshots().layers(3)["id"][0][0, 0]) == MOST_VALUE


def test_a_writer_that_dies_leaves_the_old_snapshots(finished: Run, monkeypatch) -> None:
    def torn(path, write):
        path.with_name(f".{path.name}.0.tmp").write_bytes(b"half")
        raise OSError

    writer = begin(finished, 2)
    monkeypatch.setattr(atomic, "stage", torn)
    with pytest.raises(OSError):  # noqa: PT011 (the one that was planted)
        writer.write(3, {"id": [np.zeros((3, 4), np.float32)] * 3})
    assert finished.snapshots().epochs == (0, 1, 2)
    finished.snapshots().layers(2)


def test_readers_of_a_training_see_whole_snapshots_only(finished: Run) -> None:
    done = threading.Event()

    def train() -> None:
        for _ in range(30):
            for epoch in range(1, 4):
                write(finished, epoch, float(epoch))
        done.set()

    thread = threading.Thread(target=train)
    thread.start()
    while not done.is_set():
        found = finished.snapshots()
        assert found.epochs[0] == 0
        for epoch in found.epochs:
            try:
                layers = found.layers(epoch)["id"]
            except RunError as error:
                if error.found == "no such file":  # It was dropped after the look at the folder.
                    continue
                raise
            assert [float(x.mean()) for x in layers] == [epoch + layer for layer in range(3)]
    thread.join()


@pytest.mark.parametrize(
    ("name", "array", "found"),
    [
        ("nodes.npy", np.array([0, 2], np.int32), "shape (2,)"),
        ("nodes.npy", np.array([0, 2, 5], np.int32), "not ascending node numbers"),
        ("nodes.npy", np.array([0, 2, 2], np.int32), "not ascending node numbers"),
        ("nodes.npy", np.array([-1, 2, 3], np.int32), "not ascending node numbers"),
        ("nodes.npy", np.array([0, 2, 4], np.int64), "int64"),
        ("1.npy", np.zeros((3, 12), np.float32), "float32 of shape (3, 12)"),
        ("1.npy", np.zeros((4, 12), np.float16), "shape (4, 12)"),
        ("1.npy", np.zeros(36, np.float16), "shape (36,)"),
        ("1.npy", np.full((3, 12), np.inf, np.float16), "NaN or infinity"),
        ("1.npy", np.full((3, 12), np.nan, np.float16), "NaN or infinity"),
    ],
)
def test_what_does_not_fit_is_one_sentence(finished: Run, name: str, array, found: str) -> None:
    np.save(finished.layout.snapshots / name, array)
    with pytest.raises(RunError) as caught:
        finished.snapshots().layers(1)
    assert found in caught.value.found
    assert f"done/snapshots/{name}" in caught.value.expected


def test_too_many_snapshots_are_refused(finished: Run) -> None:
    for epoch in range(100):
        (finished.layout.snapshots / f"{epoch}.npy").touch()
    with pytest.raises(RunError, match="at most 64 snapshots in done/snapshots, but found 100"):
        finished.snapshots()
