"""A metric of several models on slices of one's own: one row a slice and model, with intervals."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rednd_core.errors import ConfigError, DataError
from rednd_core.evaluation.compare import interval, resampled_means
from rednd_core.evaluation.metrics import Values

LEAST_USERS = 10
"""A slice of fewer users has no mean: a single user would decide it."""
N_RESAMPLES = 1000


def slice_matrix(
    values: Mapping[str, Values],
    slices: Mapping[str, NDArray[np.bool_]],
    least: int = LEAST_USERS,
) -> pd.DataFrame:
    """The mean of a metric for every slice and model, with 95 % bootstrap intervals.

    Users are resampled, and trainings where a model has several (see ``evaluation.compare``).

    Args:
        values: model -> the metric of every user in each of its trainings, (S, n_users).
        slices: name -> which users belong to it, (n_users,).
        least: users that a slice must have.

    Returns:
        One row a slice and model: ``slice``, ``model``, ``n_trainings``, ``n_users``, ``mean``, ``low``,
        ``high``; the last three are NaN for a slice with fewer than ``least`` users.

    Raises:
        ConfigError: no model. DataError: models or slices of different numbers of users.
    """
    if not values:
        raise ConfigError(expected="at least one model", found="none", remedy="pass a run's values")
    sizes = {of.shape[1] for of in values.values()} | {len(of) for of in slices.values()}
    if len(sizes) > 1:
        raise DataError(
            expected="values and slices of the same users",
            found=f"{', '.join(f'{size:,}' for size in sorted(sizes))} users",
            remedy="pass runs on one data set and split",
        )
    rows = []
    for name, inside in slices.items():
        n_users = int(np.count_nonzero(inside))
        for model, of in values.items():
            mean = low = high = float("nan")
            if n_users >= least:
                chosen = of[:, inside]
                mean = float(chosen.mean())
                low, high = interval(resampled_means([chosen], N_RESAMPLES, seed=0)[0])
            rows.append((name, model, len(of), n_users, mean, low, high))
    columns = ["slice", "model", "n_trainings", "n_users", "mean", "low", "high"]
    return pd.DataFrame(rows, columns=columns)
