"""The training loop: batches, validation, early stopping, control. It does no I/O.

What is worth keeping goes to callbacks; what the user wants comes from ``poll``, which is asked between
two batches. The loop's whole state can be taken at any batch border and restored, so that a run that
was stopped goes on exactly as if it had not been.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Sequence

import torch
from torch import Tensor

from rednd_core.config import TrainingConfig
from rednd_core.data.sampling import BPRBatch, BPRSampler
from rednd_core.data.schema import Split, interaction_matrix
from rednd_core.errors import DataError, TrainingError, unknown_name
from rednd_core.evaluation.metrics import METRICS
from rednd_core.models.base import Recommender
from rednd_core.training.adam import Adam
from rednd_core.training.callbacks import Callback, EpochReport, Progress
from rednd_core.training.control import Control, Poll, poll_together
from rednd_core.training.distributed import ALONE, World, evaluate_together
from rednd_core.training.position import FitResult, Position
from rednd_core.training.recorded import CudaStepRecorder, RecordedStep, Step


class Trainer:
    """Train a model on the train pairs, pick its checkpoint by the validation pairs.

    Args:
        model: on the device where it shall be trained.
        split: test pairs are never touched here.
        poll: returns the commands that have arrived since it was last asked.
        world: the processes that train this model together, each with a trainer of its own. Callbacks
            and what they keep belong to the first of them.

    Attributes:
        step: takes an optimiser step of a batch, on one GPU as a recording of :meth:`take_step`.

    Raises:
        ConfigError: ``select_by`` is not a metric at one of ``ks``.
        DataError: no validation pairs, or no usable train pair.
    """

    def __init__(
        self,
        model: Recommender,
        split: Split,
        config: TrainingConfig,
        *,
        callbacks: Sequence[Callback] = (),
        poll: Poll = lambda: (),
        world: World = ALONE,
    ) -> None:
        _check_selection(config, n_valid=len(split.valid))
        self.model, self.config = model, config
        self.callbacks = callbacks
        self.world = world
        self._control = Control(poll_together(world, poll), model, listener=self)
        self._valid = split.valid
        self._train_matrix = interaction_matrix(split.train, model.n_users, model.n_items)
        self.device = next((p.device for p in model.parameters()), torch.device("cpu"))
        self.sampler = BPRSampler(
            split.train,
            model.n_users,
            model.n_items,
            config.batch_size,
            config.seed,
            self.device,
        )
        self.optimizer = Adam(model.parameters(), config.learning_rate) if model.trainable else None
        self.step: Step = self.take_step
        if self.optimizer is not None and self.device.type == "cuda" and world.share.world == 1:
            recorder = CudaStepRecorder(self.device)
            self.step = RecordedStep(self.take_step, model, config.batch_size, recorder)
        self.position = Position(self.sampler.state(), model.loss_weights)
        self.best_parameters: dict[str, Tensor] | None = None
        self._epoch_seconds: list[float] = []
        self._validation_seconds: list[float] = []
        self._after_seconds: list[float] = []

    def fit(self) -> FitResult:
        """Train until the epochs are over, patience is, or a stop command comes.

        Raises:
            TrainingError: a loss or a parameter became NaN or infinite.
        """
        self.world.align(self.model)
        for callback in self.callbacks:
            callback.on_start(self)
        if self.optimizer is None:
            self.position.best_valid = self.validate()
            self.position.best_epoch = 0
        else:
            while not self._control.stopped and not self._is_over():
                self._run_epoch()
        for callback in self.callbacks:
            callback.on_end(self)
        if self.best_parameters is not None:
            self.model.load_state_dict(self.best_parameters)
        return FitResult(
            state="stopped" if self._control.stopped else "finished",
            epochs=self.position.epoch,
            best_epoch=self.position.best_epoch,
            valid=self.position.best_valid,
            seconds_per_epoch=_median(self._epoch_seconds),
            seconds_per_validation=_median(self._validation_seconds),
        )

    def _is_over(self) -> bool:
        position = self.position
        return position.epoch >= self.config.epochs or position.stale >= self.config.patience

    def _run_epoch(self) -> None:
        position = self.position
        position.sampler = self.sampler.state()
        self.model.train()
        fresh_batches = 0
        after = statistics.mean(self._after_seconds) if self._after_seconds else 0.0
        began = time.perf_counter()  # moved on by pauses
        # What a stopped epoch had summed up is that of all processes: it counts once.
        sums = {
            name: torch.tensor(value * self.world.leads, device=self.device, dtype=torch.float64)
            for name, value in position.loss_sums.items()
        }
        counts = dict(position.loss_counts)
        for number, batch in enumerate(self.sampler.epoch()):
            if number < position.batch:
                continue
            # Commands before the batch: a new weight counts from this very batch on.
            began += self._control.obey()
            if self._control.stopped:
                self._leave_epoch(number, self.world.sum_values(sums), counts)
                return
            for name, value in self.step(batch).items():
                counts[name] = counts.get(name, 0) + 1
                if name not in sums:
                    sums[name] = torch.zeros((), device=self.device, dtype=torch.float64)
                sums[name] += value
            fresh_batches += 1
            progress = Progress(
                epoch=position.epoch + 1,
                epochs=self.config.epochs,
                batch=number + 1,
                n_batches=self.sampler.n_batches,
                seconds_per_batch=(time.perf_counter() - began) / fresh_batches,
                seconds_after_epoch=after,
            )
            for callback in self.callbacks:
                callback.on_batch(self, progress)
        complete = position.batch == 0
        losses = self._mean_losses(self.world.sum_values(sums), counts)
        done = time.perf_counter()  # after the read-back, which waits for a GPU
        spent = done - began
        position.epoch, position.batch = position.epoch + 1, 0
        position.loss_sums, position.loss_counts = {}, {}
        if complete:
            self._epoch_seconds.append(spent)
        self._finish_epoch(losses, spent)
        self._after_seconds.append(time.perf_counter() - done)

    def take_step(self, batch: BPRBatch) -> dict[str, Tensor]:
        """One optimiser step, kernel by kernel.

        Returns:
            This process's share of the unweighted losses, on the device.
        """
        assert self.optimizer is not None
        losses = self.model.losses(batch, self.world.share)
        weights = self.model.loss_weights
        total = torch.stack([weights[name] * value for name, value in losses.items()]).sum()
        self.optimizer.zero_grad()
        total.backward()
        self.world.sum_gradients(self.model.parameters())
        self.optimizer.step()
        return {name: value.detach() for name, value in losses.items()}

    def _leave_epoch(self, batch: int, sums: dict[str, Tensor], counts: dict[str, int]) -> None:
        """Stopped before ``batch``: keep the place inside the epoch."""
        self._mean_losses(sums, counts)
        self.position.batch, self.position.loss_counts = batch, counts
        self.position.loss_sums = {name: float(value) for name, value in sums.items()}

    def _mean_losses(self, sums: dict[str, Tensor], counts: dict[str, int]) -> dict[str, float]:
        """Means over the batches that had the loss, and the guard against divergence.

        One read-back an epoch. The losses tell of all steps but the last, so the parameters are looked
        at too: nothing that is not finite reaches a checkpoint.
        """
        losses = {name: float(value) / counts[name] for name, value in sums.items()}
        broken = [f"{name}={value}" for name, value in losses.items() if not math.isfinite(value)]
        if not all(bool(values.isfinite().all()) for values in self.model.parameters()):
            broken.append("NaN or infinity in the parameters")
        if broken:
            raise TrainingError(
                expected=f"finite losses and parameters in epoch {self.position.epoch + 1}",
                found=", ".join(broken),
                remedy="lower the learning rate or the alignment weight and start again",
            )
        return losses

    def _finish_epoch(self, losses: dict[str, float], seconds: float) -> None:
        position = self.position
        valid: dict[str, float] = {}
        improved = False
        last = position.epoch == self.config.epochs
        if position.epoch % self.config.eval_every == 0 or last:
            valid = self.validate()
            improved = valid[self.config.select_by] > position.best_score
            position.stale = 0 if improved else position.stale + 1
            if improved:
                position.best_epoch, position.best_valid = position.epoch, valid
                position.best_score = valid[self.config.select_by]
                self.best_parameters = {
                    name: value.detach().clone() for name, value in self.model.state_dict().items()
                }
        report = EpochReport(
            epoch=position.epoch,
            losses=losses,
            weights=dict(self.model.loss_weights),
            valid=valid,
            improved=improved,
            seconds=seconds,
            seconds_validation=self._validation_seconds[-1] if valid else 0.0,
        )
        # The sampler has moved on: what is saved now must begin with the next epoch.
        position.sampler = self.sampler.state()
        for callback in self.callbacks:
            callback.on_epoch(self, report)

    def validate(self) -> dict[str, float]:
        """Validation metrics by a fresh forward pass."""
        began = time.perf_counter()
        self.model.eval()
        with torch.no_grad():
            user_emb, item_emb = self.model.embeddings()
        metrics = evaluate_together(
            self.world, user_emb, item_emb, self._train_matrix, self._valid, self.config.ks
        ).metrics
        self._validation_seconds.append(time.perf_counter() - began)
        return dict(metrics)

    def tell(self, event: str, **details: object) -> None:
        for callback in self.callbacks:
            callback.on_event(self, event, details)

    def wait(self) -> None:
        for callback in self.callbacks:
            callback.on_wait(self)


def _check_selection(config: TrainingConfig, *, n_valid: int) -> None:
    """Refuse, before the first epoch, what the first validation could not be done with."""
    valid = [f"{metric}@{k}" for metric in METRICS for k in config.ks]
    if config.select_by not in valid:
        raise unknown_name("validation metric (select_by)", config.select_by, valid)
    if not n_valid:
        raise DataError(
            expected="validation pairs to choose the checkpoint by",
            found="none",
            remedy="label some interactions with 1, or choose another split",
        )


def _median(seconds: list[float]) -> float:
    return statistics.median(seconds) if seconds else math.nan
