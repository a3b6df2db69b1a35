"""The training loop: batches, validation, early stopping, control. It does no I/O.

What is worth keeping goes to callbacks; what the user wants comes from ``poll``, which is asked between
two batches. The loop's whole state can be taken at any batch border and restored, so that a run that
was stopped goes on exactly as if it had not been.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from rednd_core.config import TrainingConfig
from rednd_core.data.sampling import BPRBatch, BPRSampler
from rednd_core.data.schema import Split, interaction_matrix
from rednd_core.errors import ConfigError, DataError, TrainingError, unknown_name
from rednd_core.evaluation.evaluate import evaluate
from rednd_core.evaluation.metrics import parse_metric
from rednd_core.models.base import Recommender
from rednd_core.runs.record import Command
from rednd_core.training.callbacks import Callback, EpochReport, Progress

Poll = Callable[[], Sequence[Command]]
PAUSE_POLL_SECONDS = 0.1


@dataclass
class Position:
    """Where the loop stands; with the parameters and the optimiser, everything that it depends on.

    Attributes:
        epoch: completed epochs; batch: completed batches of the one after.
        sampler: state of the sampler at the beginning of that epoch.
        loss_sums: name -> sum of the values of those batches.
        weights: loss weights in force.
        stale: validations since the best one.
    """

    sampler: Tensor
    weights: dict[str, float]
    epoch: int = 0
    batch: int = 0
    loss_sums: dict[str, float] = field(default_factory=dict)
    best_epoch: int | None = None
    best_score: float = -math.inf
    best_valid: dict[str, float] = field(default_factory=dict)
    stale: int = 0


@dataclass(frozen=True)
class FitResult:
    """What training came to; the model holds the parameters of ``best_epoch``.

    Attributes:
        epochs: completed epochs.
        valid: validation metrics of the best epoch; empty if stopped before the first validation.
        seconds_per_epoch: median over the epochs that were trained in one go, without validation;
            NaN where there was none.
        seconds_per_validation: median; NaN where there was none.
    """

    state: Literal["finished", "stopped"]
    epochs: int
    best_epoch: int | None
    valid: dict[str, float]
    seconds_per_epoch: float
    seconds_per_validation: float


class Trainer:
    """Train a model on the train pairs, pick its checkpoint by the validation pairs.

    Args:
        model: on the device where it shall be trained.
        split: test pairs are never touched here.
        poll: returns the commands that have arrived since it was last asked.

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
    ) -> None:
        _check_selection(config, n_valid=len(split.valid))
        self.model, self.config = model, config
        self.callbacks, self._poll = callbacks, poll
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
        parameters = list(model.parameters())
        self.optimizer = (
            torch.optim.Adam(parameters, lr=config.learning_rate, fused=True)
            if model.trainable
            else None
        )
        self.position = Position(self.sampler.state(), model.loss_weights)
        self.best_parameters: dict[str, Tensor] | None = None
        self._epoch_seconds: list[float] = []
        self._validation_seconds: list[float] = []
        self._stopped = False

    def fit(self) -> FitResult:
        """Train until the epochs are over, patience is, or a stop command comes.

        Raises:
            TrainingError: a loss or an embedding became NaN or infinite.
        """
        for callback in self.callbacks:
            callback.on_start(self)
        if self.optimizer is None:
            self.position.best_valid = self._validate()
            self.position.best_epoch = 0
        else:
            while not self._stopped and not self._is_over():
                self._run_epoch()
        for callback in self.callbacks:
            callback.on_end(self)
        if self.best_parameters is not None:
            self.model.load_state_dict(self.best_parameters)
        return FitResult(
            state="stopped" if self._stopped else "finished",
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
        began = time.perf_counter()  # moved on by pauses
        sums = {
            name: torch.tensor(value, device=self.device, dtype=torch.float64)
            for name, value in position.loss_sums.items()
        }
        for number, batch in enumerate(self.sampler.epoch()):
            if number < position.batch:
                continue
            # Commands before the batch: a new weight counts from this very batch on.
            began += self._obey()
            if self._stopped:
                self._leave_epoch(number, sums)
                return
            for name, value in self._step(batch).items():
                sums[name] = sums.get(name, torch.zeros((), device=self.device)) + value.double()
            fresh_batches += 1
            progress = Progress(
                epoch=position.epoch + 1,
                epochs=self.config.epochs,
                batch=number + 1,
                n_batches=self.sampler.n_batches,
                seconds_per_batch=(time.perf_counter() - began) / fresh_batches,
            )
            for callback in self.callbacks:
                callback.on_batch(self, progress)
        complete = position.batch == 0
        losses = self._mean_losses(sums, self.sampler.n_batches)
        spent = time.perf_counter() - began  # after the read-back, which waits for a GPU
        position.epoch, position.batch, position.loss_sums = position.epoch + 1, 0, {}
        if complete:
            self._epoch_seconds.append(spent)
        self._finish_epoch(losses, spent)

    def _step(self, batch: BPRBatch) -> dict[str, Tensor]:
        """One optimiser step; returns the unweighted losses, still on the device."""
        assert self.optimizer is not None
        losses = self.model.losses(batch)
        weights = self.model.loss_weights
        total = torch.stack([weights[name] * value for name, value in losses.items()]).sum()
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()
        self.optimizer.step()
        return {name: value.detach() for name, value in losses.items()}

    def _leave_epoch(self, batch: int, sums: dict[str, Tensor]) -> None:
        """Stopped before ``batch``: keep the place inside the epoch."""
        self._mean_losses(sums, max(batch, 1))
        self.position.batch = batch
        self.position.loss_sums = {name: float(value) for name, value in sums.items()}

    def _mean_losses(self, sums: dict[str, Tensor], n_batches: int) -> dict[str, float]:
        """Means over the batches; one read-back an epoch, and the guard against divergence."""
        losses = {name: float(value) / n_batches for name, value in sums.items()}
        broken = [name for name, value in losses.items() if not math.isfinite(value)]
        if broken:
            found = ", ".join(f"{name}={losses[name]}" for name in broken)
            raise _diverged(self.position.epoch + 1, found)
        return losses

    def _finish_epoch(self, losses: dict[str, float], seconds: float) -> None:
        position = self.position
        valid: dict[str, float] = {}
        improved = False
        last = position.epoch == self.config.epochs
        if position.epoch % self.config.eval_every == 0 or last:
            valid = self._validate()
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

    def _validate(self) -> dict[str, float]:
        """Validation metrics by a fresh forward pass."""
        began = time.perf_counter()
        self.model.eval()
        with torch.no_grad():
            user_emb, item_emb = self.model.embeddings()
        for side, rows in (("user", user_emb), ("item", item_emb)):
            if not bool(rows.isfinite().all()):  # the epoch's last step may be the one that broke
                raise _diverged(self.position.epoch, f"NaN or infinity in {side} embeddings")
        metrics = evaluate(
            user_emb, item_emb, self._train_matrix, self._valid, self.config.ks
        ).metrics
        self._validation_seconds.append(time.perf_counter() - began)
        return dict(metrics)

    def _obey(self) -> float:
        """Apply all waiting commands; while paused, wait for more. Returns the seconds paused."""
        began = time.perf_counter()
        paused = was_paused = False
        while True:
            for command in self._poll():
                if command.command == "set_weight":
                    self._set_weight(command)
                elif command.command == "pause" and not paused:
                    paused = was_paused = True
                    self._tell("paused")
                elif command.command == "resume" and paused:
                    paused = False
                    self._tell("resumed")
                elif command.command == "stop" and not self._stopped:
                    self._stopped = True
                    self._tell("stopped")
            if self._stopped or not paused:
                return time.perf_counter() - began if was_paused else 0.0
            for callback in self.callbacks:
                callback.on_wait(self)
            time.sleep(PAUSE_POLL_SECONDS)

    def _set_weight(self, command: Command) -> None:
        assert command.loss is not None
        assert command.value is not None
        try:
            self.model.set_loss_weight(command.loss, command.value)
        except ConfigError as error:  # a mistyped name must not end hours of training
            self._tell("refused", loss=command.loss, value=command.value, message=str(error))
        else:
            self._tell("set_weight", loss=command.loss, value=command.value)

    def _tell(self, event: str, **details: object) -> None:
        for callback in self.callbacks:
            callback.on_event(self, event, details)


def _check_selection(config: TrainingConfig, *, n_valid: int) -> None:
    """Refuse, before the first epoch, what the first validation could not be done with."""
    metric, k = parse_metric(config.select_by)
    if k not in config.ks:
        raise unknown_name(
            "validation metric (select_by)", config.select_by, [f"{metric}@{k}" for k in config.ks]
        )
    if not n_valid:
        raise DataError(
            expected="validation pairs to choose the checkpoint by",
            found="none",
            remedy="label some interactions with 1, or choose another split",
        )


def _diverged(epoch: int, found: str) -> TrainingError:
    return TrainingError(
        expected=f"finite losses and embeddings in epoch {epoch}",
        found=found,
        remedy="lower the learning rate or the alignment weight and start again",
    )


def _median(seconds: list[float]) -> float:
    return statistics.median(seconds) if seconds else math.nan
