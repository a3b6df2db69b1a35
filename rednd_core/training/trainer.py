"""The training loop: phases, batches, validation, early stopping, control. It does no I/O.

What is worth keeping goes to callbacks; what the user wants comes from ``poll``, which is asked between
two batches. The loop's whole state can be taken at any batch border and restored, so that a run that
was stopped goes on exactly as if it had not been.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from rednd_core.config import TrainingConfig
from rednd_core.data.sampling import BPRSampler
from rednd_core.data.schema import Split, interaction_matrix
from rednd_core.errors import TrainingError
from rednd_core.modeling.base import Recommender
from rednd_core.modeling.observe import current_embeddings
from rednd_core.modeling.phases import Batch, Phase
from rednd_core.modeling.randomness import seed_of
from rednd_core.training.adam import Adam
from rednd_core.training.batches import EpochBatches
from rednd_core.training.callbacks import Callback, EpochReport, Progress
from rednd_core.training.control import Control, Poll, poll_together
from rednd_core.training.distributed import ALONE, World
from rednd_core.training.recorded_step import CudaStepRecorder, RecordedStep, Step
from rednd_core.training.selection import check_selection, saturation, verdict
from rednd_core.training.state import FitResult, TrainingState, median_seconds
from rednd_core.training.together import evaluate_together, require_divisible


class Trainer:
    """Train a model on the train pairs, pick its checkpoint by the validation pairs.

    Args:
        model: on the device where it shall be trained.
        split: test pairs are never touched here.
        poll: returns the commands that have arrived since it was last asked.
        world: the processes that train this model together, each with a trainer of its own. Callbacks
            and what they keep belong to the first of them.

    Attributes:
        optimizers: one for each update of the model's phases, by its name.
        steps: phase -> what takes its updates for a batch; on one GPU a recording of :meth:`take_step`.

    Raises:
        ConfigError: ``select_by`` is not a metric at one of ``ks``, or several processes for a model
            whose losses cannot be divided among them.
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
        check_selection(config, n_valid=len(split.valid))
        self.model, self.config = model, config
        self.callbacks = callbacks
        self.world = world
        require_divisible(world, model)
        self._control = Control(
            poll_together(world, poll), model, self, lambda: require_divisible(world, model)
        )
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
        phases = list(model.phases()) if model.trainable else []
        self._batches = EpochBatches(model, phases, self.sampler, config, self.device)
        self.optimizers: dict[str, Adam] = {
            update.name: Adam(
                update.parameters,
                config.learning_rate if update.learning_rate is None else update.learning_rate,
                update.betas,
                update.weight_decay,
            )
            for phase in phases
            for update in phase.updates
        }
        self.steps = {phase.name: self._step_of(phase) for phase in phases}
        self.state = TrainingState(self.sampler.state(), model.loss_weights)
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
        if not self.optimizers:
            self.state.best_valid = self.validate()
            self.state.best_epoch = 0
        else:
            if not self.state.epoch and not self.state.batch:
                degrees = np.diff(self._train_matrix.indptr)
                self._notice(saturation(self.config, self.model.n_items, degrees, self._valid))
            while not self._control.stopped and not self._is_over():
                self._run_epoch()
            if not self._control.stopped:
                self._notice(verdict(self.config, self.state))
        for callback in self.callbacks:
            callback.on_end(self)
        if self.best_parameters is not None:
            self.model.load_state_dict(self.best_parameters)
        return FitResult(
            state="stopped" if self._control.stopped else "finished",
            epochs=self.state.epoch,
            best_epoch=self.state.best_epoch,
            valid=self.state.best_valid,
            seconds_per_epoch=median_seconds(self._epoch_seconds),
            seconds_per_validation=median_seconds(self._validation_seconds),
        )

    def _is_over(self) -> bool:
        state = self.state
        return state.epoch >= self.config.epochs or state.stale >= self.config.patience

    def _run_epoch(self) -> None:
        state = self.state
        state.sampler = self.sampler.state()
        self.model.train()
        after = statistics.mean(self._after_seconds) if self._after_seconds else 0.0
        began = time.perf_counter()  # moved on by pauses
        # What a stopped epoch had summed up is that of all processes: it counts once.
        sums = {
            name: torch.tensor(value * self.world.leads, device=self.device, dtype=torch.float64)
            for name, value in state.loss_sums.items()
        }
        counts = dict(state.loss_counts)
        left = self._batches.left(state.epoch + 1, state.batch)
        for n_fresh, (number, phase, batch) in enumerate(left, start=1):
            # Commands before the batch: a new weight counts from this very batch on.
            began += self._control.apply()
            if self._control.stopped:
                self._leave_epoch(number, self.world.sum_values(sums), counts)
                return
            self.model.generator.manual_seed(
                seed_of(self.config.seed, state.epoch + 1, "batch", number)
            )
            for name, value in self.steps[phase.name](batch).items():
                counts[name] = counts.get(name, 0) + 1
                if name not in sums:
                    sums[name] = torch.zeros((), device=self.device, dtype=torch.float64)
                sums[name] += value
            progress = Progress(
                epoch=state.epoch + 1,
                epochs=self.config.epochs,
                batch=number + 1,
                n_batches=len(self._batches),
                seconds_per_batch=(time.perf_counter() - began) / n_fresh,
                seconds_after_epoch=after,
            )
            for callback in self.callbacks:
                callback.on_batch(self, progress)
        complete = state.batch == 0
        losses = self._mean_losses(self.world.sum_values(sums), counts)
        done = time.perf_counter()  # after the read-back, which waits for a GPU
        spent = done - began
        state.epoch, state.batch = state.epoch + 1, 0
        state.loss_sums, state.loss_counts = {}, {}
        if complete:
            self._epoch_seconds.append(spent)
        self._finish_epoch(losses, spent)
        self._after_seconds.append(time.perf_counter() - done)

    def _step_of(self, phase: Phase) -> Step:
        def step(batch: Batch) -> dict[str, Tensor]:
            return self.take_step(phase, batch)

        if self.device.type != "cuda" or self.world.size > 1:
            return step
        recorder = CudaStepRecorder(self.device, self.model.generator)
        return RecordedStep(step, self.model, self.config.batch_size, recorder)

    def take_step(self, phase: Phase, batch: Batch) -> dict[str, Tensor]:
        """The updates of a phase for one batch, kernel by kernel.

        Returns:
            This process's share of the unweighted losses, on the device.
        """
        part, share = (batch, 1.0) if self.world.size == 1 else self.world.part(batch)
        weights = self.model.loss_weights
        named: dict[str, Tensor] = {}
        for update in phase.updates:
            losses = update.losses(part)
            if share != 1:
                losses = {name: share * value for name, value in losses.items()}
            total = torch.stack([weights[name] * value for name, value in losses.items()]).sum()
            optimizer = self.optimizers[update.name]
            optimizer.zero_grad()
            total.backward(inputs=optimizer.parameters)
            self.world.sum_gradients(optimizer.parameters)
            optimizer.step()
            named |= {name: value.detach() for name, value in losses.items()}
        return named

    def _leave_epoch(self, batch: int, sums: dict[str, Tensor], counts: dict[str, int]) -> None:
        """Stopped before ``batch``: keep the place inside the epoch."""
        self._mean_losses(sums, counts)
        self.state.batch, self.state.loss_counts = batch, counts
        self.state.loss_sums = {name: float(value) for name, value in sums.items()}

    def _mean_losses(self, sums: dict[str, Tensor], counts: dict[str, int]) -> dict[str, float]:
        """Means over the batches that had the loss, and the guard against divergence.

        One read-back an epoch. The losses tell of all steps but the last, so the parameters are looked
        at as well: nothing that is not finite reaches a checkpoint.
        """
        losses = {name: float(value) / counts[name] for name, value in sums.items()}
        broken = [f"{name}={value}" for name, value in losses.items() if not math.isfinite(value)]
        if not all(bool(values.isfinite().all()) for values in self.model.parameters()):
            broken.append("NaN or infinity in the parameters")
        if broken:
            raise TrainingError(
                expected=f"finite losses and parameters in epoch {self.state.epoch + 1}",
                found=", ".join(broken),
                remedy="lower the learning rate or the alignment weight and start again",
            )
        return losses

    def _finish_epoch(self, losses: dict[str, float], seconds: float) -> None:
        state = self.state
        valid: dict[str, float] = {}
        improved = False
        last = state.epoch == self.config.epochs
        if state.epoch % self.config.eval_every == 0 or last:
            valid = self.validate()
            score = valid[self.config.select_by]
            improved = score > state.best_score
            state.stale = 0 if improved else state.stale + 1
            state.validations += 1
            state.lowest_score = min(state.lowest_score, score)
            if improved:
                state.best_epoch, state.best_valid = state.epoch, valid
                state.best_score = score
                self.best_parameters = {
                    name: value.detach().clone() for name, value in self.model.state_dict().items()
                }
        report = EpochReport(
            epoch=state.epoch,
            losses=losses,
            weights=dict(self.model.loss_weights),
            valid=valid,
            improved=improved,
            seconds=seconds,
            seconds_validation=self._validation_seconds[-1] if valid else 0.0,
        )
        # The sampler has moved on: what is saved now must begin with the next epoch.
        state.sampler = self.sampler.state()
        for callback in self.callbacks:
            callback.on_epoch(self, report)

    def validate(self) -> dict[str, float]:
        """Validation metrics by a fresh forward pass."""
        began = time.perf_counter()
        user_emb, item_emb = current_embeddings(self.model)
        metrics = evaluate_together(
            self.world, user_emb, item_emb, self._train_matrix, self._valid, self.config.ks
        ).metrics
        self._validation_seconds.append(time.perf_counter() - began)
        return dict(metrics)

    def _notice(self, message: str | None) -> None:
        if message:
            self.tell("notice", message=message)

    def tell(self, event: str, **details: object) -> None:
        for callback in self.callbacks:
            callback.on_event(self, event, details)

    def wait(self) -> None:
        for callback in self.callbacks:
            callback.on_wait(self)
