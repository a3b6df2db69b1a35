"""The data contracts: frozen, validated once where they are built, trusted from there on.

Ids inside the library are dense integers: users ``0..n_users-1`` and items ``0..n_items-1``; as graph
nodes, item ``i`` is node ``n_users + i``. The ids that people know (``user_ids``, ``item_ids``) are kept
as strings beside them (:class:`~rednd_core.data.ids.NumberIds` where they are the dense ids) and
reappear in everything that is shown or exported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray

from rednd_core.data.ids import IdArray
from rednd_core.data.pairs import ascending, pair_keys
from rednd_core.errors import DataError

if TYPE_CHECKING:
    from rednd_core.data.layouts.side import SideTable

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float32]
Times = NDArray[np.int64] | NDArray[np.float64]
"""Points in time whose order counts: whole numbers stay whole, as float64 rounds those beyond 2^53."""


@dataclass(frozen=True)
class Notice:
    """Something that was found and handled while data was read.

    Attributes:
        code: stable name for tests and tables, e.g. ``"duplicate_pairs"``.
        count: how many rows, users or items it concerns.
        message: one clear sentence, with the count and what was done.
    """

    code: str
    count: int
    message: str


@dataclass(frozen=True)
class Interactions:
    """Distinct (user, item) pairs, (n,) each; ``users[i]`` interacted with ``items[i]``."""

    users: IntArray
    items: IntArray

    def __len__(self) -> int:
        return len(self.users)


@dataclass(frozen=True)
class InteractionTable:
    """Validated interactions, before they are split.

    Attributes:
        users, items: dense ids, (n,) int32, every pair once; int64 only after the split, where they
            index tensors.
        labels: 0 train, 1 validation, 2 test, (n,) int8; None where the file has no labels.
        timestamps: (n,) int64 or float64; None where the file has none.
        user_ids, item_ids: original ids as strings, indexed by dense id.
        notices: what was found and handled.
    """

    users: NDArray[np.int32]
    items: NDArray[np.int32]
    user_ids: IdArray
    item_ids: IdArray
    labels: NDArray[np.int8] | None = None
    timestamps: Times | None = None
    notices: tuple[Notice, ...] = ()

    def take(self, rows: IntArray | NDArray[np.bool_]) -> InteractionTable:
        """The table of some rows, or of all in another order."""
        return replace(
            self,
            users=self.users[rows],
            items=self.items[rows],
            labels=None if self.labels is None else self.labels[rows],
            timestamps=None if self.timestamps is None else self.timestamps[rows],
        )


@dataclass(frozen=True)
class Split:
    """Train, validation and test pairs; evaluation users without a train pair are already dropped."""

    train: Interactions
    valid: Interactions
    test: Interactions
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True)
class Dataset:
    """One data set, split and ready to train on.

    Attributes:
        name: the folder's or file's name.
        features: modality -> (n_items, dim) float32, finite.
        items: one row an item in dense order, columns ``item_id`` (str) and whatever the items table
            has (``title``, ``category``, ``image``, ...); always present, at least ``item_id``.
        digest: hex digest of interactions, split and features: what a run was trained on.
        pairs_digest: the same without the features: all that a model reads which needs none.
        recognised: what the files were taken for, one sentence.
        left_out: files and columns that were not read.
        users_table: the table of users beside the interactions, not read yet.
        users_problem: why there is a users table that cannot be used; whoever wants the names raises it.
    """

    name: str
    path: str
    n_users: int
    n_items: int
    split: Split
    user_ids: IdArray
    item_ids: IdArray
    features: Mapping[str, FloatArray]
    items: pd.DataFrame
    digest: str
    notices: tuple[Notice, ...] = field(default=())
    recognised: str = ""
    left_out: tuple[str, ...] = ()
    users_table: SideTable | None = None
    users_problem: DataError | None = None
    pairs_digest: str = ""

    @property
    def train(self) -> Interactions:
        return self.split.train

    @property
    def valid(self) -> Interactions:
        return self.split.valid

    @property
    def test(self) -> Interactions:
        return self.split.test

    @property
    def has_interactions(self) -> bool:
        """False for the users and items of vectors that were imported alone."""
        return len(self.train) > 0

    def held_out(self, part: str) -> Interactions:
        """The pairs of ``"valid"`` or ``"test"``."""
        return {"valid": self.valid, "test": self.test}[part]

    @cached_property
    def train_matrix(self) -> sp.csr_array:
        """Binary train matrix R, (n_users, n_items), sorted indices."""
        return interaction_matrix(self.train, self.n_users, self.n_items)

    @cached_property
    def user_degrees(self) -> IntArray:
        """Train interactions of every user, (n_users,)."""
        return np.bincount(self.train.users, minlength=self.n_users)

    @cached_property
    def item_degrees(self) -> IntArray:
        """Train interactions of every item (its popularity), (n_items,)."""
        return np.bincount(self.train.items, minlength=self.n_items)


def interaction_matrix(pairs: Interactions, n_users: int, n_items: int) -> sp.csr_array:
    """Pairs as a binary CSR matrix, (n_users, n_items) float32, column indices sorted."""
    ones = np.ones(len(pairs), dtype=np.float32)
    shape = n_users, n_items
    if ascending(
        pair_keys(pairs.users, pairs.items)
    ):  # as they leave the split: CSR but for indptr
        indptr = np.zeros(n_users + 1, dtype=np.int32)
        np.cumsum(np.bincount(pairs.users, minlength=n_users), out=indptr[1:])
        return sp.csr_array((ones, pairs.items.astype(np.int32), indptr), shape=shape)
    matrix = sp.csr_array((ones, (pairs.users, pairs.items)), shape=shape)
    matrix.sort_indices()
    return matrix
