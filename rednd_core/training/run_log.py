"""The callback that keeps a run: metrics, smoothness, layers, snapshots, checkpoints, status, heartbeat."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from rednd_core.modeling.base import Recommender
from rednd_core.modeling.observe import current_embeddings, current_layers, current_readouts
from rednd_core.runs.writer import RunWriter
from rednd_core.smoothness.epoch import EpochSmoothness
from rednd_core.training.callbacks import Callback, EpochReport, Progress, Training
from rednd_core.training.checkpoint import save_checkpoints
from rednd_core.training.snapshots import SnapshotTaker
from rednd_core.wording import duration

STATUS_SECONDS = 1.0
LAYER_SECONDS = 1.0
CHECKPOINT_SECONDS = 15.0
MAX_SHARE = 0.05
"""The share of the time that each of these may take at most; what takes longer is done less often."""


class Throttle:
    """Lets something happen at most every ``seconds``, and for at most ``MAX_SHARE`` of the time."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._next = seconds, 0.0

    def due(self) -> bool:
        return time.monotonic() >= self._next

    def done(self, cost: float) -> None:
        self._next = time.monotonic() + max(self._seconds, cost / MAX_SHARE)

    def make_due(self) -> None:
        """Let it happen at the next opportunity, whatever it cost before."""
        self._next = 0.0


class RunLog(Callback):
    """Writes what training reports into a run folder.

    Metrics and smoothness are kept for every epoch. Layers and checkpoints, which the app and a
    resume need, are rewritten as often as their cost allows, and always at the end. Snapshots follow a
    schedule of epochs.
    """

    def __init__(
        self, writer: RunWriter, smoothness: EpochSmoothness, snapshots: SnapshotTaker
    ) -> None:
        self._writer, self._smoothness, self._snapshots = writer, smoothness, snapshots
        self._batch = 0  # completed batches of the epoch that is being trained
        self._status = Throttle(STATUS_SECONDS)
        self._layers = Throttle(LAYER_SECONDS)
        self._checkpoints = Throttle(CHECKPOINT_SECONDS)

    def on_start(self, trainer: Training) -> None:
        """Show the layers as they start: the untrained picture is part of the story."""
        self._batch = trainer.state.batch
        epoch = trainer.state.epoch
        if trainer.optimizers:
            self._snapshots.begin(epoch)
        if epoch == 0:
            layers = current_layers(trainer.model)
            self._write_layers(trainer, layers)
            if (
                self._batch == 0
            ):  # In the middle of an epoch the model is no longer the untrained one.
                self._snapshots.take(0, layers)

    def on_batch(self, trainer: Training, progress: Progress) -> None:
        self._batch = progress.batch
        if self._status.due():
            self._writer.status("running", message=describe(progress))
            self._status.done(0.0)

    def on_wait(self, trainer: Training) -> None:
        self._writer.heartbeat()

    def on_event(self, trainer: Training, event: str, details: Mapping[str, object]) -> None:
        state = trainer.state
        self._writer.append_event(event, epoch=state.epoch, batch=self._batch, **details)
        if event == "paused":
            self._writer.status("paused", epoch=state.epoch, message="Paused")
        elif event == "resumed":
            self._writer.status("running", epoch=state.epoch)
        elif event == "set_weight":
            self._layers.make_due()  # whoever moved the weight watches what the layers do

    def on_epoch(self, trainer: Training, report: EpochReport) -> None:
        self._batch = 0
        model = trainer.model
        began = time.perf_counter()
        layers = current_layers(model)
        smoothness = self._smoothness(
            layers, scoring_readouts(model, layers), linear=model.linear_propagation
        )
        measured = time.perf_counter() - began
        self._writer.append_metrics(
            {
                "epoch": report.epoch,
                "losses": report.losses,
                "weights": report.weights,
                "valid": report.valid,
                "improved": report.improved,
                "smoothness": smoothness,
                "seconds": {
                    "train": report.seconds,
                    "validation": report.seconds_validation,
                    "smoothness": measured,
                },
            }
        )
        self._snapshots.take(report.epoch, layers)
        if self._layers.due():
            self._write_layers(trainer, layers)
        if self._checkpoints.due():
            self._save(trainer)
        self._writer.status(
            epoch=report.epoch,
            best_epoch=trainer.state.best_epoch,
            message=f"Epoch {report.epoch} done",
        )

    def on_end(self, trainer: Training) -> None:
        if trainer.optimizers:
            self._save(trainer)

    def _save(self, trainer: Training) -> None:
        began = time.perf_counter()
        save_checkpoints(self._writer.layout.checkpoints, trainer)
        self._checkpoints.done(time.perf_counter() - began)

    def _write_layers(self, trainer: Training, layers: Mapping[str, Sequence[Tensor]]) -> None:
        began = time.perf_counter()
        write_layers(self._writer, trainer.model, layers, epoch=trainer.state.epoch)
        self._layers.done(time.perf_counter() - began)


def scoring_readouts(
    model: Recommender, layers: Mapping[str, Sequence[Tensor]]
) -> dict[str, Tensor]:
    """z^L of every modality, (N, D), of the model whose ``layers`` these are."""
    if model.reads_out_by_rule:
        return {modality: model.readout.at(states) for modality, states in layers.items()}
    return {modality: states[-1] for modality, states in current_readouts(model).items()}


def write_layers(
    writer: RunWriter, model: Recommender, layers: Mapping[str, Sequence[Tensor]], *, epoch: int
) -> None:
    """Write layers, scoring embeddings and, where no rule gives them, readouts of one state of the model."""
    readouts = {} if model.reads_out_by_rule else current_readouts(model)
    user_emb, item_emb = map(_array, current_embeddings(model))
    writer.save_layers(_arrays(layers), user_emb, item_emb, epoch=epoch, readouts=_arrays(readouts))


def _arrays(stacks: Mapping[str, Sequence[Tensor]]) -> dict[str, list[NDArray[np.float32]]]:
    return {modality: list(map(_array, states)) for modality, states in stacks.items()}


def _array(rows: Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = rows.float().cpu().contiguous().numpy()
    return array


def describe(progress: Progress) -> str:
    """One line for people: place, rate, remaining time."""
    rate = 1 / progress.seconds_per_batch if progress.seconds_per_batch else 0.0
    return (
        f"Epoch {progress.epoch} of {progress.epochs}, batch {progress.batch} of "
        f"{progress.n_batches}, {rate:.1f} batches/s, at most {duration(progress.seconds_left)} left"
    )
