"""What a researcher leaves out before training: rare users and items, and all but a sample of users."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rednd_core.data.ids import IdArray, NumberIds
from rednd_core.data.schema import InteractionTable, Notice
from rednd_core.data.tables import counted
from rednd_core.errors import DataError


def sample_users(table: InteractionTable, n: int, seed: int) -> InteractionTable:
    """The pairs of ``n`` users drawn at random; all where there are no more."""
    n_users = len(table.user_ids)
    if n >= n_users:
        return table
    drawn = np.zeros(n_users, dtype=bool)
    drawn[np.random.default_rng(seed).choice(n_users, size=n, replace=False)] = True
    message = f"Drew {n:,} of {n_users:,} users at random (seed {seed})."
    return _only(table, drawn[table.users], Notice("sampled_users", n_users - n, message))


def k_core(table: InteractionTable, least: int) -> InteractionTable:
    """The largest part in which every user and every item has at least ``least`` pairs.

    Raises:
        DataError: there is none.
    """
    users, items = table.users, table.items
    kept = np.ones(len(users), dtype=bool)
    while True:
        user_counts = np.bincount(users[kept], minlength=len(table.user_ids))
        item_counts = np.bincount(items[kept], minlength=len(table.item_ids))
        enough = kept & (user_counts[users] >= least) & (item_counts[items] >= least)
        if enough.sum() == kept.sum():
            break
        kept = enough
    if not kept.any():
        raise DataError(
            expected=f"users and items with at least {least:,} interactions each",
            found=f"none that are left among {counted(len(users), 'pair')}",
            remedy="choose fewer interactions at least",
        )
    n_left_out = int(np.count_nonzero(~kept))
    if n_left_out == 0:
        return table
    message = (
        f"Left out {counted(n_left_out, 'pair')} of users or items with fewer than {least:,}, until "
        "none was left."
    )
    return _only(table, kept, Notice("k_core", n_left_out, message))


def _only(table: InteractionTable, kept: NDArray[np.bool_], notice: Notice) -> InteractionTable:
    """The kept pairs, with only the users and items that they have."""
    smaller = table.take(kept)
    users, user_ids = _renumbered(smaller.users, table.user_ids)
    items, item_ids = _renumbered(smaller.items, table.item_ids)
    return InteractionTable(
        users=users,
        items=items,
        user_ids=user_ids,
        item_ids=item_ids,
        labels=smaller.labels,
        timestamps=smaller.timestamps,
        notices=(*table.notices, notice),
    )


def _renumbered(dense: NDArray[np.int32], ids: IdArray) -> tuple[NDArray[np.int32], IdArray]:
    present = np.zeros(len(ids), dtype=bool)
    present[dense] = True
    kept: IdArray = (
        NumberIds(len(ids)) if present.all() and isinstance(ids, NumberIds) else ids[present]
    )
    return (np.cumsum(present) - 1).astype(np.int32)[dense], kept
