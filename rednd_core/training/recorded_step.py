"""The steps of a GPU, recorded once and replayed: between two kernels there is no Python and no launch.

A step of these models is some hundred short kernels, and starting one takes the host longer than the GPU
needs for it. A CUDA graph starts all of them at once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import fields
from typing import Protocol

import torch
from torch import Tensor

from rednd_core.modeling.base import Recommender
from rednd_core.modeling.phases import Batch

Losses = dict[str, Tensor]
Work = Callable[[], Losses]
Step = Callable[[Batch], Losses]
"""Takes an optimiser step of a batch; returns its unweighted losses, on the device, until the next step."""

WARM_UP_STEPS = 3
"""Taken before a recording: libraries set themselves up in the first ones, which cannot be recorded."""

log = logging.getLogger(__name__)


class StepRecorder(Protocol):
    """What records work on a device."""

    def run(self, work: Work) -> Losses:
        """Do ``work`` where recordings are made."""

    def record(self, work: Work) -> tuple[Callable[[], object], Losses]:
        """A function that repeats ``work`` on the same tensors, and the losses that it fills.

        ``work`` itself is not done by this call.

        Raises:
            RuntimeError: work that cannot be recorded, e.g. as the host waits for the device in it.
        """


class CudaStepRecorder:
    """CUDA graphs, on a stream of their own, as torch wants them.

    Args:
        generator: what the work draws from; a replay draws from the state that the generator then has.
    """

    def __init__(self, device: torch.device, generator: torch.Generator) -> None:
        self._stream, self._generator = torch.cuda.Stream(device), generator

    def run(self, work: Work) -> Losses:
        present = torch.cuda.current_stream()
        self._stream.wait_stream(present)
        with torch.cuda.stream(self._stream):
            losses = work()
        present.wait_stream(self._stream)
        return losses

    def record(self, work: Work) -> tuple[Callable[[], object], Losses]:
        graph = torch.cuda.CUDAGraph()
        graph.register_generator_state(self._generator)
        with torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local"):
            losses = work()
        return graph.replay, losses


class RecordedStep:
    """An optimiser step that is replayed wherever that gives what the step itself would.

    It is recorded anew when a loss weight changes, as weights are numbers in it, and when the model
    raises its ``step_version``, e.g. because it has drawn another graph. The last batch of an epoch, which
    may be smaller, is taken without a recording. Work that cannot be recorded goes on as it was, with a
    warning.

    Args:
        step: takes a batch; parameters, gradients and moments stay where they are on the device.
        batch_size: of the batches that are recorded.
    """

    def __init__(
        self,
        step: Step,
        model: Recommender,
        batch_size: int,
        recorder: StepRecorder,
    ) -> None:
        self._step, self._model, self._size = step, model, batch_size
        self._recorder = recorder
        self._is_possible = True
        self._forget()

    def __call__(self, batch: Batch) -> Losses:
        if not self._is_possible or len(batch) != self._size:
            return self._step(batch)
        if self._made_for != (self._model.loss_weights, self._model.step_version):
            self._forget()
        if self._n_warm < WARM_UP_STEPS:
            self._n_warm += 1
            return self._recorder.run(lambda: self._step(batch))
        if self._replay is None and not self._record(batch):
            return self._step(batch)
        assert self._replay is not None
        torch._foreach_copy_(_columns(self._batch), _columns(batch))
        self._replay()
        return self._losses

    def _forget(self) -> None:
        self._made_for = (dict(self._model.loss_weights), self._model.step_version)
        self._n_warm = 0
        self._replay: Callable[[], object] | None = None
        self._losses: Losses = {}

    def _record(self, batch: Batch) -> bool:
        # The recording reads these tensors at every replay.
        self._batch = type(batch)(*(column.clone() for column in _columns(batch)))
        try:
            self._replay, self._losses = self._recorder.record(lambda: self._step(self._batch))
        except RuntimeError as error:
            reason = str(error).partition("\n")[0]
            log.warning("Steps are not recorded as a CUDA graph, only slower: %s", reason)
            self._is_possible = False
        return self._is_possible


def _columns(batch: Batch) -> list[Tensor]:
    return [getattr(batch, field.name) for field in fields(batch)]
