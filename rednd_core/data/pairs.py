"""(user, item) pairs as one int64 each: order and repetitions by one sort of plain numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int32] | NDArray[np.int64]


def pair_keys(users: Ids, items: Ids) -> NDArray[np.int64]:
    """Numbers (n,) that order pairs by user, then item, and are equal where pairs are.

    Dense ids stay below 2^31, so that a key always fits.
    """
    keys = users.astype(np.int64)
    if len(keys):
        keys *= int(items.max()) + 1
    keys += items
    return keys


def ascending(keys: NDArray[np.int64]) -> bool:
    """Whether every key is larger than the one before: sorted already, and nothing twice."""
    return bool((keys[1:] > keys[:-1]).all())


def pair_order(users: Ids, items: Ids) -> NDArray[np.int64] | None:
    """Rows that sort distinct pairs by user, then item, (n,); None where they are sorted already."""
    keys = pair_keys(users, items)
    return None if ascending(keys) else np.argsort(keys)
