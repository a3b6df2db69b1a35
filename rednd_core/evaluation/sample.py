"""Which users are ranked where ranking all of them would take too long."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from rednd_core.data.schema import Interactions
from rednd_core.evaluation.metrics import Values

MOST_SCORES = 1_000_000_000
"""User-item scores of an evaluation that somebody waits for: some ten seconds of one core."""


def sample_held_out(
    held_out: Interactions, n_items: int, most_scores: int = MOST_SCORES, seed: int = 0
) -> Interactions:
    """All held-out pairs of as many random users as ``most_scores`` allows; every pair where it can.

    Ranks of the pairs that are left stay exact, and means over their users estimate those over all.
    The same arguments choose the same users.
    """
    users = np.unique(held_out.users)
    most = max(1, most_scores // n_items)
    if len(users) <= most:
        return held_out
    chosen = np.random.default_rng(seed).choice(users, most, replace=False, shuffle=False)
    kept = np.isin(held_out.users, chosen)
    return Interactions(held_out.users[kept], held_out.items[kept])


def mean_ci(values: Values, n_all: int) -> float:
    """Half-width of the 95 % interval of the mean over ``n_all`` users, from some drawn without replacement.

    By the normal approximation, with the correction for a finite population; NaN where all were drawn, and
    where one value tells nothing of the spread.

    Args:
        values: of the drawn users, (n,).
    """
    n = len(values)
    if n >= n_all or n < 2:
        return math.nan
    share_left = (n_all - n) / (n_all - 1)
    return NormalDist().inv_cdf(0.975) * float(values.std(ddof=0)) * math.sqrt(share_left / (n - 1))
