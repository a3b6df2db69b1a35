"""Snapshots of a training: when, of what, within which size, and that nothing else changes by them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rednd_core.atomic import write_json
from rednd_core.modeling.observe import current_layers
from rednd_core.runs import DataFacts, ModelFacts, Provenance, Run, RunWriter, requeue
from rednd_core.runs.snapshots import MOST_SNAPSHOTS
from rednd_core.training import run_log
from rednd_core.training.callbacks import Callback
from rednd_core.training.experiment import train_run
from rednd_core.training.snapshots import SnapshotTaker, schedule, snapshot_contents
from tests.training.whole_runs import StopAt, assert_same_results


def test_the_schedule_has_each_epoch_first_and_then_grows_by_half() -> None:
    assert schedule(1) == (0, 1)
    assert schedule(4) == (0, 1, 2, 3)
    assert schedule(30) == (0, 1, 2, 3, 5, 8, 12, 18, 27)
    longest = schedule(100_000)
    assert longest[:9] == schedule(30)
    assert longest[-1] > 100_000 / 1.5 - 1
    assert len(longest) <= MOST_SNAPSHOTS


LINEAR = ModelFacts.uniform(("id",), 3, 8, linear_propagation=True)
CURVED = ModelFacts.uniform(("id", "text"), 3, 8)


@pytest.mark.parametrize(
    ("facts", "n_bytes", "n_kept", "n_layers"),
    [
        (LINEAR, 10 * 70 * 16, 70, 1),  # x^0 of all nodes fits: 8 numbers of 2 bytes
        (LINEAR, 10 * 70 * 16 - 1, 17, 4),  # does not: all layers of a sample
        (CURVED, 10 * 70 * 128, 70, 4),
        (CURVED, 10 * 30 * 128, 30, 4),
    ],
)
def test_as_much_is_kept_as_there_is_room_for(facts, n_bytes, n_kept, n_layers) -> None:
    degrees = np.ones(70, dtype=np.int64)
    kept = snapshot_contents(facts, degrees, 40, n_bytes=n_bytes, n_snapshots=10)
    assert kept is not None
    assert len(kept.nodes) == n_kept
    assert {m: len(widths) for m, widths in kept.widths.items()} == dict.fromkeys(
        facts.modalities, n_layers
    )
    width = sum(map(sum, kept.widths.values()))
    assert 10 * len(kept.nodes) * width * 2 <= n_bytes


def test_a_sample_is_of_linked_nodes_in_proportion_and_a_larger_one_holds_it() -> None:
    degrees = np.ones(70, dtype=np.int64)
    degrees[[0, 39, 40, 69]] = 0
    small, large = (
        snapshot_contents(CURVED, degrees, 40, n_bytes=n * 128, n_snapshots=1) for n in (33, 55)
    )
    assert small is not None
    assert large is not None
    assert set(small.nodes) < set(large.nodes)
    assert not {0, 39, 40, 69} & set(large.nodes)
    assert (small.nodes < 40).sum() == 19  # 38 of the 66 linked nodes are users
    assert (np.diff(large.nodes) > 0).all()


def test_no_room_means_no_snapshots() -> None:
    assert snapshot_contents(CURVED, np.ones(70), 40, n_bytes=0, n_snapshots=1) is None
    assert snapshot_contents(CURVED, np.ones(70), 40, n_bytes=2 * 128, n_snapshots=1) is None


class Copies(Callback):
    """The layers as they were after each epoch, in full precision."""

    def __init__(self) -> None:
        self.at: dict[int, dict[str, list[np.ndarray]]] = {}

    def on_start(self, trainer) -> None:
        self._copy(trainer, trainer.state.epoch)

    def on_epoch(self, trainer, report) -> None:
        self._copy(trainer, report.epoch)

    def _copy(self, trainer, epoch: int) -> None:
        layers = current_layers(trainer.model)
        self.at[epoch] = {m: [x.numpy().copy() for x in states] for m, states in layers.items()}


@pytest.mark.parametrize("model", ["lightgcn", "rednnd", "gcn"])
def test_a_snapshot_is_the_layers_of_its_epoch_in_half_precision(new_run, model: str) -> None:
    writer, copies = new_run(model), Copies()
    train_run(writer, watch=[copies])
    found = Run(writer.path).snapshots()
    assert found is not None
    assert found.epochs == (0, 1, 2, 3, 5)
    assert found.is_complete
    for epoch in found.epochs:
        layers = found.layers(epoch)
        assert list(layers) == list(copies.at[epoch])
        for modality, states in layers.items():
            assert len(states) == 1 or model == "gcn"  # linear: deeper layers follow
            for kept, whole in zip(states, copies.at[epoch][modality], strict=False):
                np.testing.assert_array_equal(kept, whole[found.nodes].astype(np.float16))


def test_training_with_and_without_snapshots_is_the_same_bit_for_bit(new_run) -> None:
    for model in ("lightgcn", "rednnd"):
        train_run(new_run(model, f"{model}-with"))
        without = new_run(model, f"{model}-without", snapshot_mb=0)
        train_run(without)
        assert Run(without.path).snapshots() is None
        assert_same_results(Run(without.path.with_name(f"{model}-with")), Run(without.path))


def test_a_model_that_is_not_trained_has_none(new_run) -> None:
    writer = new_run("popularity")
    train_run(writer)
    assert Run(writer.path).snapshots() is None


@pytest.mark.parametrize("place", [(1, 2), (3, 5), (4, 1)])
def test_a_resumed_training_has_the_snapshots_of_an_uninterrupted_one(new_run, place) -> None:
    train_run(new_run(name="whole"))
    stopped = new_run(name="stopped")
    train_run(stopped, watch=[StopAt(stopped.path, *place)])
    requeue(stopped.path)
    train_run(RunWriter(stopped.path), resume=True)
    assert_same_snapshots(Run(stopped.path), Run(stopped.path.with_name("whole")))


def test_a_resume_from_an_earlier_epoch_drops_the_later_snapshots(new_run, monkeypatch) -> None:
    """The only checkpoint is that of epoch 1; what the crashed training kept of epochs 2 and 3 was lost."""
    monkeypatch.setattr(run_log, "CHECKPOINT_SECONDS", 1e9)
    train_run(new_run(name="whole"))
    crashed = new_run(name="crashed")
    run = Run(crashed.path)

    class Crash(Callback):
        def on_batch(self, trainer, progress) -> None:
            if (progress.epoch, progress.batch) == (4, 2):
                raise MemoryError

    class Look(Callback):
        def on_batch(self, trainer, progress) -> None:
            if (progress.epoch, progress.batch) == (2, 1):
                assert run.snapshots().epochs == (0, 1)

    with pytest.raises(MemoryError):
        train_run(crashed, watch=[Crash()])
    assert run.snapshots().epochs == (0, 1, 2, 3)
    # Zeros, which no training writes, show whether the training wrote this file anew.
    np.save(run.layout.snapshot(3), np.zeros((70, 8), np.float16))
    crashed.status("failed")
    requeue(crashed.path)
    train_run(RunWriter(crashed.path), resume=True, watch=[Look()])
    assert_same_snapshots(run, Run(crashed.path.with_name("whole")))


def test_more_epochs_than_planned_at_first_keep_the_earlier_snapshots(new_run) -> None:
    """A longer schedule alone would keep fewer nodes of each epoch."""
    writer = new_run("gcn", snapshot_mb=1, epochs=3)
    train_run(writer)
    run = Run(writer.path)
    longer = run.config.training.model_copy(update={"epochs": 5})
    config = run.config.model_copy(update={"training": longer})
    write_json(run.layout.config, run.record.model_copy(update={"config": config}))
    before = run.snapshots()
    requeue(writer.path)
    train_run(RunWriter(writer.path), resume=True)
    after = run.snapshots()
    assert (before.epochs, after.epochs) == ((0, 1, 2, 3), (0, 1, 2, 3, 5))
    assert before.version.split("-")[0] == after.version.split("-")[0]


def test_a_longer_schedule_stays_within_its_megabytes(new_run) -> None:
    writer = new_run()
    taker = SnapshotTaker(writer, np.ones(70, dtype=np.int64))
    facts = ModelFacts.uniform(("id",), 1, 1000)  # 280 kB a snapshot of all nodes
    data = DataFacts(name="d", digest="d", n_users=40, n_items=30, n_train=9, n_valid=1, n_test=0)
    training = writer.record.config.training.model_copy(update={"epochs": 3, "snapshot_mb": 1})
    describe(writer, training, data, facts)
    taker.begin(0)
    layers = {"id": [torch.zeros(70, 1000)] * 2}
    for epoch in range(4):
        taker.take(epoch, layers)
    describe(writer, training.model_copy(update={"epochs": 50}), data, facts)
    longer = SnapshotTaker(writer, np.ones(70, dtype=np.int64))
    longer.begin(3)
    for epoch in range(4, 51):
        longer.take(epoch, layers)
    files = list(writer.layout.snapshots.glob("*.npy"))
    assert sum(path.stat().st_size for path in files) < 1.01e6
    assert Run(writer.path).snapshots().epochs[:4] == (0, 1, 2, 3)


def describe(writer: RunWriter, training, data: DataFacts, facts: ModelFacts) -> None:
    config = writer.record.config.model_copy(update={"training": training})
    writer.record = writer.record.model_copy(update={"config": config})
    writer.describe(Provenance(seed=1), data, facts)


def assert_same_snapshots(first: Run, second: Run) -> None:
    mine, theirs = first.snapshots(), second.snapshots()
    assert mine is not None
    assert theirs is not None
    assert mine.epochs == theirs.epochs
    for epoch in mine.epochs:
        for modality, states in mine.layers(epoch).items():
            for x, y in zip(states, theirs.layers(epoch)[modality], strict=True):
                np.testing.assert_array_equal(x, y)
