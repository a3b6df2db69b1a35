"""Which row belongs to which user or item of a data set.

Rows with ids are matched by these. Rows without ids are numbered by whoever trained them, in one of two
orders: that of the ids (by value where they are whole numbers: LightGCN, MMRec, scikit-learn's encoders), or
that of their first appearance in the interactions (RecBole, SELFRec, pandas' factorize). Where both fit, the
order counts in which more training pairs score above random ones: the model has learned these pairs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from rednd_core.config import DataConfig
from rednd_core.data.appearance import ids_by_appearance
from rednd_core.data.ids import IdArray, NumberIds, id_lookup
from rednd_core.data.schema import Dataset
from rednd_core.data.tables import counted, listing
from rednd_core.errors import CheckpointError, unknown_name
from rednd_core.foreign.roles import Side

Order = Literal["auto", "ids", "appearance"]
ORDERS: tuple[Order, ...] = get_args(Order)
IN_WORDS = {
    "ids": "in the order of the ids",
    "appearance": "in the order in which the ids appear in the interactions",
}
PADDING = 1
"""Rows before the first id that RecBole keeps for no user or item, ``[PAD]``."""
N_PAIRS = 20_000
CLEAR = 0.6
"""A trained model ranks a larger share of the training pairs above random ones; chance is 0.5."""

Places = NDArray[np.int64]
"""The row of every user or item of the data set, (n,); -1 where it has none."""


@dataclass(frozen=True, eq=False)
class Placed:
    """The rows of one side.

    Attributes:
        kind: ``"user"`` or ``"item"``.
        is_padded: whether the first row is :data:`PADDING`.
    """

    side: Side
    kind: str
    places: Places
    is_padded: bool = False

    @property
    def said(self) -> Iterator[str]:
        """What does not match, counted, in sentences."""
        n_missing = int(np.count_nonzero(self.places < 0))
        n_extra = len(self.side.values) - self.is_padded - (len(self.places) - n_missing)
        if self.is_padded:
            yield (
                f"The first row of {self.side.name} stands for no {self.kind} ([PAD], as in RecBole): "
                "left out."
            )
        if n_missing:
            yield (
                f"{counted(n_missing, self.kind)} of the data set without a row in {self.side.name}: "
                "the vector is zero."
            )
        if n_extra:
            yield (
                f"{counted(n_extra, 'row')} of {self.side.name} for a {self.kind} that the data set does not "
                "have: left out."
            )


@dataclass(frozen=True, eq=False)
class Matched:
    """Both sides in one order.

    Attributes:
        order: None where ids decided for both.
        share: of the training pairs that score above a pair of the same user with a random item.
    """

    users: Placed
    items: Placed
    order: Order | None
    share: float


def match_rows(
    users: Side, items: Side, dataset: Dataset, config: DataConfig, order: Order = "auto"
) -> tuple[Matched, list[str]]:
    """Match the rows of two matrices with the users and items of a data set.

    Args:
        order: how rows without ids are numbered; ``"auto"`` finds out.

    Returns:
        The match, and sentences about what does not match and how the order was found.

    Raises:
        CheckpointError: rows that fit no order, or ids of which the data set has none.
        ConfigError: an unknown order.
    """
    if order not in ORDERS:
        raise unknown_name("order of rows", order, ORDERS)
    found: list[Matched] = []
    for each in _orders(users, items, order):
        numbered = (
            ids_by_appearance(config)
            if each == "appearance"
            else (dataset.user_ids, dataset.item_ids)
        )
        placed = (
            _placed(users, dataset.user_ids, numbered[0], "user"),
            _placed(items, dataset.item_ids, numbered[1], "item"),
        )
        if not any(_equal(placed, (other.users, other.items)) for other in found):
            found.append(Matched(*placed, each, _share(*placed, dataset)))
    best = max(found, key=lambda match: match.share)
    return best, [*best.users.said, *best.items.said, *_said(best, found)]


def rows_of_nodes(placed: Placed, values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The rows of a matrix of this side in the order of the data set, (n, d); zero where there is none."""
    rows = np.asarray(values[np.maximum(placed.places, 0)])
    rows[placed.places < 0] = 0
    return rows


def _orders(users: Side, items: Side, order: Order) -> Sequence[Order | None]:
    if users.ids is not None and items.ids is not None:
        return [None]
    return ("ids", "appearance") if order == "auto" else (order,)


def _placed(side: Side, ids: IdArray, numbered: IdArray, kind: str) -> Placed:
    """Rows of one side: by ids where it has them, else as ``numbered`` counts."""
    if side.ids is not None:
        return Placed(side, kind, _by_ids(side, ids, kind))
    n_rows = len(side.values)
    if numbered is ids and (numbers := _numbers(ids)) is not None and n_rows > numbers.max():
        return Placed(side, kind, numbers)  # a row for each number, also for numbers without an id
    known = id_lookup(ids)
    here = [label for label in numbered if known(label) is not None]
    for labels in (
        numbered,
        here,
    ):  # the model may have been trained on all, or on what choices leave
        if n_rows in (len(labels), len(labels) + PADDING):
            padding = n_rows - len(labels)
            row_of = {str(label): row for row, label in enumerate(labels, start=padding)}
            places = np.asarray([row_of[label] for label in ids], dtype=np.int64)
            return Placed(side, kind, places, is_padded=padding > 0)
    raise CheckpointError(
        expected=f"a row for each of the {len(ids):,} {kind}s of the data set in {side.name}",
        found=f"{n_rows:,} rows",
        remedy="name the data set that the model was trained on, or save the vectors with ids",
    )


def _by_ids(side: Side, ids: IdArray, kind: str) -> Places:
    assert side.ids is not None
    row_of = {label: row for row, label in enumerate(side.ids)}
    if len(row_of) < len(side.ids):
        raise CheckpointError(
            expected=f"every {kind} once in {side.name}",
            found=counted(len(side.ids) - len(row_of), "repeated id"),
            remedy="keep one row for each",
        )
    places = np.asarray([row_of.get(label, -1) for label in ids], dtype=np.int64)
    if (places < 0).all():
        raise CheckpointError(
            expected=f"ids of {kind}s as in the data set, e.g. {listing(ids[:2])}",
            found=f"none of them among {listing(side.ids[:2])} and so on in {side.name}",
            remedy="save the vectors with the original ids of the data set",
        )
    return places


def _numbers(ids: IdArray) -> Places | None:
    """Ids as numbers, where all of them are whole ones."""
    if isinstance(ids, NumberIds):
        return np.arange(len(ids))
    if not all(label.isascii() and label.isdecimal() and len(label) < 18 for label in ids):
        return None
    return np.asarray([int(label) for label in ids], dtype=np.int64)


def _share(users: Placed, items: Placed, dataset: Dataset) -> float:
    """How many of the training pairs score above the same user with a random item; a tie is one half."""
    draw = np.random.default_rng(0)
    n = min(N_PAIRS, len(dataset.train))
    chosen = draw.permutation(len(dataset.train))[:n]
    of_users, of_items = dataset.train.users[chosen], dataset.train.items[chosen]
    others = draw.integers(dataset.n_items, size=n)
    x = rows_of_nodes(users, users.side.values)[of_users]
    y = rows_of_nodes(items, items.side.values)
    if x.shape[1] != y.shape[1]:
        raise CheckpointError(
            expected="vectors of users and items of one width",
            found=f"{x.shape[1]} and {y.shape[1]} numbers",
            remedy="choose the two tables whose inner products score",
        )
    margins = np.einsum("ij,ij->i", x, y[of_items] - y[others], dtype=np.float64)
    return float(np.mean((margins > 0) + 0.5 * (margins == 0)))


def _equal(one: tuple[Placed, Placed], other: tuple[Placed, Placed]) -> bool:
    return all(np.array_equal(a.places, b.places) for a, b in zip(one, other, strict=True))


def _said(best: Matched, found: Sequence[Matched]) -> Iterator[str]:
    others = [match for match in found if match is not best]
    if best.order is not None and others:
        beaten = ", ".join(f"{IN_WORDS[m.order]} {m.share:.2f}" for m in others if m.order)
        yield (
            f"Rows are matched {IN_WORDS[best.order]}: {best.share:.2f} of the training pairs then score "
            f"above random ones ({beaten})."
        )
    if best.share < CLEAR:
        yield (
            f"Only {best.share:.2f} of the training pairs score above random ones, where chance is 0.50. "
            "Rows or ids may be in another order than the data set's: save the vectors with ids to be sure."
        )
