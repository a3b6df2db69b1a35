"""From baskets to the rows of the `.inter` file: dates, the split, and the new arrivals."""

from __future__ import annotations

import numpy as np
import pandas as pd

from rednd_core.data.schema import IntArray
from rednd_core.samples.catalogue import Catalogue
from rednd_core.samples.tastes import REGULAR, UNSEEN, Tastes, admirers

TRAIN, VALID, TEST = 0, 1, 2
HELD_OUT_SHARE = 0.1
OPENING = 1_672_531_200
"""2023-01-01 00:00 UTC, seconds: the shop's first day."""
DAY = 86_400
BUYERS_OF_AN_ARRIVAL = (3, 6)


def write_history(
    rng: np.random.Generator, catalogue: Catalogue, tastes: Tastes, baskets: list[IntArray]
) -> pd.DataFrame:
    """Columns userID, itemID, x_label, timestamp (seconds), by user and time.

    A user's last tenth (at least one) is test, the tenth before it validation. Every new arrival
    replaces the last purchase of a few users who like its style, so that it occurs in test alone.
    """
    baskets = _add_arrivals(rng, catalogue, tastes, baskets)
    rows = []
    for user, basket in enumerate(baskets):
        n = len(basket)
        start = OPENING + rng.integers(0, 500 * DAY)
        span = rng.integers(30 * DAY, 220 * DAY)
        dates = np.sort(rng.integers(0, span, n)) + start + np.arange(n)
        labels = _labels(n, unseen=bool(tastes.cohort[user] == UNSEEN))
        columns = {"userID": user, "itemID": basket, "x_label": labels, "timestamp": dates}
        rows.append(pd.DataFrame(columns))
    return pd.concat(rows, ignore_index=True).astype(np.int64)


def _labels(n: int, *, unseen: bool) -> IntArray:
    labels = np.full(n, TRAIN)
    held = n // 2 if unseen else max(1, round(HELD_OUT_SHARE * n))
    labels[n - 2 * held :] = VALID
    labels[n - held :] = TEST
    return labels


def _add_arrivals(
    rng: np.random.Generator, catalogue: Catalogue, tastes: Tastes, baskets: list[IntArray]
) -> list[IntArray]:
    """Give each new arrival its buyers, each user at most one arrival while users suffice."""
    baskets = [basket.copy() for basket in baskets]
    counts = np.bincount(np.concatenate(baskets), minlength=len(catalogue))
    free = tastes.cohort == REGULAR
    for item in tastes.new_arrivals:
        # The purchase that gives way must not be the only one of its item.
        spare = np.array([counts[basket[-1]] > 1 for basket in baskets])
        open_to = free & spare
        fans = admirers(catalogue, tastes, int(item))
        fans = fans[open_to[fans]]
        if not len(fans):
            fans = np.flatnonzero(open_to)
        wanted = rng.integers(BUYERS_OF_AN_ARRIVAL[0], BUYERS_OF_AN_ARRIVAL[1] + 1)
        for user in rng.choice(fans, size=min(int(wanted), len(fans)), replace=False):
            if (
                counts[baskets[user][-1]] == 1
            ):  # another buyer of this arrival gave up the other one
                continue
            counts[baskets[user][-1]] -= 1
            baskets[user][-1] = item
            free[user] = False
    return baskets
