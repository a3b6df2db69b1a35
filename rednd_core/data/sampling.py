"""BPR batches: every train pair once an epoch, each with one uniform negative, without a loop.

A negative for user u is drawn exactly, not by rejection: with u's sorted train items p_0 < p_1 < ..,
the r-th item that u does NOT have is r + #{j : p_j - j <= r}. The shifted lists of all users form one
sorted array, so a whole epoch's negatives are a single binary search.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from rednd_core.data.pairs import pair_order
from rednd_core.data.schema import Interactions
from rednd_core.errors import DataError


@dataclass(frozen=True)
class BPRBatch:
    """Dense ids, each (batch,) int64: user u prefers ``pos_items`` to ``neg_items``."""

    users: Tensor
    pos_items: Tensor
    neg_items: Tensor

    def __len__(self) -> int:
        return len(self.users)


class BPRSampler:
    """Shuffled batches with uniform negatives that are never a train item of their user.

    Users who own every item have no negative; their pairs are left out and counted in
    ``n_users_without_negative``.

    Args:
        train: the train pairs.
        batch_size: pairs a batch; the last batch of an epoch may be smaller.
        seed: of the sampler's own generator.
        device: where batches are drawn and live.
    """

    def __init__(
        self,
        train: Interactions,
        n_users: int,
        n_items: int,
        batch_size: int,
        seed: int,
        device: torch.device | str = "cpu",
    ) -> None:
        self.device = torch.device(device)
        self.batch_size = batch_size
        self._n_items = n_items
        order = pair_order(train.users, train.items)
        rows = slice(None) if order is None else order
        users = torch.from_numpy(train.users[rows]).to(self.device)
        items = torch.from_numpy(train.items[rows]).to(self.device)
        degrees = torch.bincount(users, minlength=n_users)
        first = degrees.cumsum(0) - degrees
        self._degrees, self._first = degrees, first
        position = torch.arange(len(users), device=self.device) - first[users]
        self._shifted = users * (n_items + 1) + (items - position)
        usable = degrees[users] < n_items
        self.n_users_without_negative = int((degrees >= n_items).sum())
        self._users, self._pos_items = users[usable], items[usable]
        if not len(self._users):
            raise DataError(
                expected="at least one train pair of a user who does not own every item",
                found=f"{len(users)} train pairs, none usable",
                remedy="check the train split",
            )
        self._generator = torch.Generator(device=self.device).manual_seed(seed)

    @property
    def n_batches(self) -> int:
        return -(-len(self._users) // self.batch_size)

    def negatives(self, users: Tensor) -> Tensor:
        """One uniform non-train item for each of ``users``, (n,) int64."""
        free = self._n_items - self._degrees[users]
        # float64 has 53 bits: the bias of the product is below 1e-9 for a million items.
        uniform = torch.rand(
            len(users), generator=self._generator, device=self.device, dtype=torch.float64
        )
        rank = (uniform * free).long().clamp_(max=free - 1)
        bound = users * (self._n_items + 1) + rank
        taken_before = torch.searchsorted(self._shifted, bound, right=True) - self._first[users]
        return rank + taken_before

    def epoch(self) -> Iterator[BPRBatch]:
        """One pass over the train pairs in a new random order; drawn at once, so one state fixes it."""
        order = torch.randperm(len(self._users), generator=self._generator, device=self.device)
        users, pos_items = self._users[order], self._pos_items[order]
        neg_items = self.negatives(users)
        yield from map(
            BPRBatch,
            users.split(self.batch_size),
            pos_items.split(self.batch_size),
            neg_items.split(self.batch_size),
        )

    def state(self) -> Tensor:
        """The generator's state; the next :meth:`epoch` is a function of it alone."""
        return self._generator.get_state()

    def restore(self, state: Tensor) -> None:
        self._generator.set_state(state)
