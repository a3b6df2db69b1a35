"""The batches of an epoch: those of all phases, one after the other, in one numbering."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from rednd_core.config import TrainingConfig
from rednd_core.data.sampling import BPRSampler
from rednd_core.modeling.base import Recommender
from rednd_core.modeling.phases import Batch, Phase, UserBatch
from rednd_core.modeling.randomness import Epoch


@dataclass(frozen=True)
class EpochBatches:
    """What the phases of a model walk over; drawn from (seed, epoch) alone, but for the sampler's pairs."""

    model: Recommender
    phases: Sequence[Phase]
    sampler: BPRSampler
    config: TrainingConfig
    device: torch.device

    def __len__(self) -> int:
        return sum(map(self._n_batches, self.phases))

    def left(self, epoch: int, done: int) -> Iterator[tuple[int, Phase, Batch]]:
        """Begin an epoch, or go on inside of it.

        Args:
            epoch: counted from 1. done: batches of it that were taken before.

        Yields:
            The batches that are left, each with its number, from 0 over all phases.
        """
        seed, number = self.config.seed, 0
        self.model.begin_epoch(Epoch.of(seed, epoch))
        for phase in self.phases:
            batches = self._batches_of(phase, epoch)
            if number + self._n_batches(phase) > done:
                phase.begin(Epoch.of(seed, epoch, f"begin {phase.name}"))
            for batch in batches:
                if number >= done:
                    yield number, phase, batch
                number += 1

    def _batches_of(self, phase: Phase, epoch: int) -> Iterator[Batch]:
        if phase.batches == "pairs":
            yield from self.sampler.epoch()
            return
        generator = Epoch.of(self.config.seed, epoch, f"users of {phase.name}").generator
        users = torch.randperm(self.model.n_users, generator=generator).to(self.device)
        yield from map(UserBatch, users.split(self.config.batch_size))

    def _n_batches(self, phase: Phase) -> int:
        if phase.batches == "pairs":
            return self.sampler.n_batches
        return -(-self.model.n_users // self.config.batch_size)
