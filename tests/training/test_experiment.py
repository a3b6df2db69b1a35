"""A whole run in its folder: what is written, resumed, imported; and what a changed data set does."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from rednd_core.data import load_dataset
from rednd_core.errors import CheckpointError, RunError, TrainingError
from rednd_core.evaluation.evaluate import evaluate
from rednd_core.runs import (
    Command,
    Run,
    RunStore,
    RunWriter,
    import_checkpoint,
    requeue,
    send,
)
from rednd_core.runs import writer as writer_module
from rednd_core.training import experiment, run_log
from rednd_core.training.callbacks import Callback
from rednd_core.training.experiment import build, open_checkpoint, train_run
from rednd_core.training.importing import complete_import
from rednd_core.training.run_log import duration
from rednd_core.training.trainer import Trainer
from tests.training.whole_runs import MODELS, StopAt, assert_same_results


@pytest.mark.parametrize("model", MODELS)
def test_a_run_from_start_to_end(new_run, planted_folder: Path, model: str) -> None:
    writer = new_run(model, epochs=4)
    summary = train_run(writer)
    run = Run(writer.path)
    trained = model != "popularity"
    assert (run.status.state, run.status.epoch) == ("finished", 4 if trained else 0)
    assert run.status.best_epoch == summary.best_epoch == run.evaluation().epoch
    dataset = load_dataset(planted_folder)
    facts = run.record.data
    assert (facts.digest, facts.n_users, facts.n_train) == (dataset.digest, 40, 280)
    assert set(run.record.provenance.versions) >= {"python", "torch", "numpy"}
    # What is stored is the best epoch's, and nothing else than what a fresh evaluation finds.
    assert run.layers().epoch == summary.best_epoch
    for name, held_out in (("valid", dataset.valid), ("test", dataset.test)):
        found = evaluate(*run.embeddings(), dataset.train_matrix, held_out, (5,))
        stored = getattr(run.evaluation(), name)
        assert stored == pytest.approx(found.metrics)
        assert getattr(summary, name) == stored
        rows = run.per_user().query("split == @name")
        assert rows["recall@5"].mean() == pytest.approx(stored["recall@5"])
    if trained:
        table = run.metrics()
        assert table["epoch"].tolist() == [1, 2, 3, 4]
        best = table.set_index("epoch")["valid.recall@5"]
        assert best.idxmax() == summary.best_epoch
        assert summary.valid["recall@5"] == best.max()
        assert {"losses.bpr", "weights.bpr", "seconds.train", "improved"} <= set(table)
        assert any(c.startswith("smoothness.layer.") for c in table)
        assert any(c.startswith("smoothness.readout.") and c.endswith(".mad") for c in table)
        assert not any("test" in c for c in table), "test is looked at once, at the end"
    assert summary.peak_memory_mb > 50
    json.dumps(summary.to_dict(), allow_nan=False)


def test_nothing_to_resume(new_run) -> None:
    train_run(new_run("popularity", "pop"))
    writer = RunWriter(new_run("popularity", "other").path)
    with pytest.raises(RunError, match="nothing to train"):
        train_run(writer, resume=True)
    with pytest.raises(CheckpointError, match=r"no last\.json"):
        train_run(new_run(name="fresh"), resume=True)


def test_stopped_before_the_first_epoch_ends(new_run) -> None:
    """There is no best epoch yet: the run shows the parameters as they are."""
    writer = new_run()
    summary = train_run(writer, watch=[StopAt(writer.path, 1, 1)])
    run = Run(writer.path)
    assert (summary.state, summary.best_epoch, summary.epochs) == ("stopped", None, 0)
    assert run.evaluation().epoch == run.layers().epoch == 0
    assert summary.to_dict()["seconds_per_epoch"] is None
    assert set(summary.test) == set(summary.valid) != set()


def test_divergence_keeps_what_was_good(new_run, monkeypatch) -> None:
    monkeypatch.setattr(run_log, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(run_log, "MAX_SHARE", 1e9)
    step = Trainer.take_step

    def broken(self, phase, batch):
        losses = step(self, phase, batch)
        if self.state.epoch == 2:
            with torch.no_grad():
                self.model.node_emb.fill_(torch.nan)
        return losses

    monkeypatch.setattr(Trainer, "take_step", broken)
    writer = new_run()
    with pytest.raises(TrainingError, match="epoch 3"):
        train_run(writer)
    monkeypatch.undo()
    run = Run(writer.path)
    assert run.metrics()["epoch"].tolist() == [1, 2]
    assert all(np.isfinite(x).all() for x in run.layers()["id"])
    writer.status("failed")
    requeue(writer.path)
    assert train_run(RunWriter(writer.path), resume=True).epochs == 6


def test_the_same_seed_the_same_run(new_run) -> None:
    writers = [new_run("rednnd", name, epochs=2) for name in ("first", "second")]
    for writer in writers:
        train_run(writer)
    assert_same_results(*(Run(writer.path) for writer in writers))


@pytest.mark.parametrize("model", ["lightgcn", "rednnd"])
def test_a_checkpoint_with_its_config_becomes_a_run(new_run, tmp_path: Path, model: str) -> None:
    writer = new_run(model, epochs=2)
    train_run(writer)
    store = RunStore(tmp_path / "elsewhere")
    files = writer.layout.best_checkpoint.read_bytes(), writer.layout.config.read_bytes()
    run = import_checkpoint(*files, store, data=writer.record.config.data.path)
    complete_import(run)
    own = Run(writer.path)
    assert run.status.state == "imported"
    assert run.evaluation() == own.evaluation()
    assert all(map(np.array_equal, run.embeddings(), own.embeddings()))


def test_an_import_without_its_data_leaves_no_run(new_run, planted_folder, tmp_path: Path) -> None:
    data = tmp_path / "copy"
    shutil.copytree(planted_folder, data)
    writer = new_run(data=data, epochs=1)
    train_run(writer)
    files = writer.layout.best_checkpoint.read_bytes(), writer.layout.config.read_bytes()
    shutil.rmtree(data)
    store = RunStore(tmp_path / "elsewhere")
    run = import_checkpoint(*files, store)
    with pytest.raises(CheckpointError, match="rednd runs import --data PATH"):
        complete_import(run)
    assert list(store.list()) == []


def test_open_checkpoint_needs_the_same_data(new_run, planted_folder, tmp_path: Path) -> None:
    writer = new_run(epochs=1)
    train_run(writer)
    facts = writer.record.data.model_copy(update={"digest": "0" * 32, "pairs_digest": "0" * 32})
    writer.describe(writer.record.provenance, facts, writer.record.model)
    with pytest.raises(RunError, match="with other content"):
        open_checkpoint(writer)


def test_build_is_determined_by_the_configuration(new_run) -> None:
    config = new_run("rednnd").record.config
    models = []
    for noise in (1, 2):
        torch.manual_seed(noise)
        models.append(build(config).model.state_dict())
    assert all(torch.equal(models[0][k], models[1][k]) for k in models[0])


def test_layers_are_there_before_the_first_epoch(new_run) -> None:
    """The untrained picture: x^0 is what the seed gives."""
    writer = new_run()
    seen = {}

    class Look(Callback):
        def on_start(self, trainer) -> None:
            layers = Run(writer.path).layers()
            seen["epoch"], seen["x0"] = layers.epoch, np.array(layers["id"][0])

    train_run(writer, watch=[Look()])
    assert seen["epoch"] == 0
    table = build(writer.record.config).model.node_emb.detach().numpy()
    np.testing.assert_array_equal(seen["x0"], table)


@pytest.mark.parametrize("slow", ["build", "record_results"])
def test_a_run_beats_while_it_reads_and_while_it_records(new_run, monkeypatch, slow: str) -> None:
    monkeypatch.setattr(writer_module, "HEARTBEAT_SECONDS", 0.02)
    monkeypatch.setattr(writer_module, "BEAT_SECONDS", 0.01)
    writer, real = new_run(epochs=1), getattr(experiment, slow)
    run = Run(writer.path)

    def wait_for_a_beat(*args, **options):
        before, deadline = run.status.heartbeat, time.monotonic() + 30
        while run.status.heartbeat == before:
            assert time.monotonic() < deadline
        return real(*args, **options)

    monkeypatch.setattr(experiment, slow, wait_for_a_beat)
    assert train_run(writer).state == "finished"


def test_status_while_paused(new_run, monkeypatch) -> None:
    """A paused run says so, keeps its heart beating, and goes on when told."""
    from rednd_core.training import control

    monkeypatch.setattr(control, "PAUSE_POLL_SECONDS", 0.01)
    writer = new_run(epochs=2)
    run = Run(writer.path)
    states = []

    class Pauser(Callback):
        def on_batch(self, trainer, progress) -> None:
            if (progress.epoch, progress.batch) == (1, 2):
                send(run, Command(command="pause"))

        def on_wait(self, trainer) -> None:
            states.append(run.status.state)
            if len(states) == 3:
                send(run, Command(command="set_weight", loss="regularization", value=0.5))
                send(run, Command(command="resume"))

    train_run(writer, watch=[Pauser()])
    assert states == ["paused"] * 3
    events = run.events()
    assert [event["event"] for event in events] == ["paused", "set_weight", "resumed"]
    assert (events[1]["loss"], events[1]["value"], events[1]["epoch"]) == ("regularization", 0.5, 0)
    assert run.metrics()["weights.regularization"].tolist() == [0.5, 0.5]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (200, "3 min 20 s"), (3900, "1 h 05 min")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text
