"""Which users to look at, in which order, and where one of them stands among the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rednd_core.data.schema import IntArray
from rednd_core.errors import unknown_name
from rednd_core.evaluation.evaluate import Evaluation
from rednd_core.evaluation.slices import by_activity, by_metric

MAX_EXTREME = 100  # users in the slices "worst" and "best"
WALKS: dict[str, str] = {
    "worst": "lowest metric first; of equals, those with most held-out items",
    "best": "highest metric first; of equals, those with most held-out items",
    "cold": "at most 5 train interactions, fewest first",
    "heavy": "the tenth with most train interactions, most first",
    "random": "everyone with held-out items, in one fixed random order",
}


def walk(evaluation: Evaluation, kind: str, metric: str, seed: int = 0) -> IntArray:
    """Users of a slice in the order of :data:`WALKS`; the same arguments give the same order.

    Returns:
        Dense user ids; empty where the slice has no users.

    Raises:
        ConfigError: an unknown slice, or a metric that was not evaluated.
    """
    if kind not in WALKS:
        raise unknown_name("slice of users", kind, WALKS)
    if kind == "random":
        return np.random.default_rng(seed).permutation(evaluation.users)
    if kind in ("worst", "best"):
        n = min(MAX_EXTREME, evaluation.n_users // 2)
        part = by_metric(evaluation, metric, n)[kind] if n else evaluation
        sign = 1 if kind == "worst" else -1
        order = np.lexsort((part.users, -part.n_held_out, sign * part.values(metric)))
        return part.users[order]
    chosen = by_activity(evaluation).get(kind)
    if chosen is None:
        return np.empty(0, np.int64)
    sign = 1 if kind == "cold" else -1
    return chosen.users[np.lexsort((chosen.users, sign * chosen.n_train))]


@dataclass(frozen=True)
class Standing:
    """One user's value of a metric among all users with held-out items.

    Attributes:
        n_below, n_level: users with a lower, with the same value (this one included).
        n_users: users with held-out items.
    """

    metric: str
    value: float
    n_below: int
    n_level: int
    n_users: int


def standing(
    evaluation: Evaluation, metric: str, user: int, alone: Evaluation | None = None
) -> Standing | None:
    """Where ``user`` stands; None for a user without held-out items.

    Args:
        alone: the evaluation of this user only, where ``evaluation`` is of a sample without the user,
            who then counts as one more.

    Raises:
        ConfigError: a metric that was not evaluated.
    """
    values = evaluation.values(metric)
    position = np.flatnonzero(evaluation.users == user)
    if len(position):
        value = float(values[position[0]])
    elif alone is not None:
        value = float(alone.values(metric)[0])
        values = np.append(values, values.dtype.type(value))
    else:
        return None
    return Standing(
        metric=metric,
        value=value,
        n_below=int((values < value).sum()),
        n_level=int((values == value).sum()),
        n_users=len(values),
    )
