"""Whether the validation metric that picks the epoch can tell epochs apart, said before and after."""

from __future__ import annotations

import numpy as np

from rednd_core.config import TrainingConfig
from rednd_core.data.schema import IntArray, Interactions
from rednd_core.errors import DataError, unknown_name
from rednd_core.evaluation.metrics import METRICS, parse_metric
from rednd_core.training.state import TrainingState

BLIND_TO_ORDER = ("recall", "precision", "hit_rate")
"""Metrics that are the same for every order of a list which holds all candidates."""
PLATEAU = 0.01
"""Relative spread of a metric over all validations, at most, to be called a plateau."""


def check_selection(config: TrainingConfig, *, n_valid: int) -> None:
    """Refuse, before the first epoch, what the first validation could not be done with.

    Raises:
        ConfigError: ``select_by`` is not a metric at one of ``ks``.
        DataError: no validation pairs.
    """
    usable = [f"{metric}@{k}" for metric in METRICS for k in config.ks]
    if config.select_by not in usable:
        raise unknown_name("validation metric (select_by)", config.select_by, usable)
    if not n_valid:
        raise DataError(
            expected="validation pairs to choose the checkpoint by",
            found="none",
            remedy="label some interactions with 1, or choose another split",
        )


def saturation(
    config: TrainingConfig, n_items: int, train_degrees: IntArray, valid: Interactions
) -> str | None:
    """A sentence where ``select_by`` cannot tell epochs apart, with a cut-off that can; else None.

    The candidates of a user are the items without a train pair of the user. Where K reaches their number,
    the list holds all of them in any case.

    Args:
        train_degrees: train pairs of every user, (n_users,).
    """
    metric, k = parse_metric(config.select_by)
    users = np.unique(valid.users)
    candidates = n_items - train_degrees[users]
    n_blind = int((candidates <= k).sum())
    if metric not in BLIND_TO_ORDER or 2 * n_blind < len(users):
        return None
    most = max(1, int(np.median(candidates)) // 2)
    usable = max([own for own in config.ks if own <= most], default=most)
    setting = f"select_by={metric}@{usable}"
    if usable not in config.ks:
        setting += f" and ks={','.join(map(str, sorted({*config.ks, usable})))}"
    return (
        f"{config.select_by} cannot tell epochs apart: for {n_blind:,} of {len(users):,} validation "
        f"users the list of {k} holds every candidate (an item without a train pair of the user), in "
        f"any order. Set {setting}."
    )


def verdict(config: TrainingConfig, state: TrainingState) -> str | None:
    """A sentence where early stopping chose the best epoch by next to nothing; else None."""
    n, best, lowest = state.validations, state.best_score, state.lowest_score
    known = n >= state.epoch // config.eval_every  # an older checkpoint does not tell the lowest
    if state.stale < config.patience or state.best_epoch is None or not known:
        return None
    name = f"Early stopping ended the training: validation {config.select_by}"
    if best == lowest:
        found = f"{name} was {best:.4f} in each of {n} validations, so the first of them was kept."
    elif state.best_epoch <= config.eval_every:
        found = (
            f"{name} was best in the first of {n} validations, so a barely trained model was kept."
        )
    elif best - lowest <= PLATEAU * best:
        found = f"{name} stayed between {lowest:.4f} and {best:.4f} in all {n} validations."
    else:
        return None
    return f"{found} Try another metric or cut-off, another learning rate, or more patience."
