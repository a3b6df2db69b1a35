"""All slices of one or two evaluations in one table, with intervals; and tables to take away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from rednd_core.data.ids import IdArray
from rednd_core.data.schema import IntArray
from rednd_core.errors import ConfigError
from rednd_core.evaluation.compare import Trainings, as_trainings, compare, mean_interval, values_of
from rednd_core.evaluation.evaluate import Evaluation
from rednd_core.evaluation.ranking import top_k
from rednd_core.evaluation.scoring import Embedding, TrainMatrix
from rednd_core.evaluation.slices import by_activity, by_popularity

ALL = "overall"
BY_ACTIVITY = "users by train interactions"
BY_POPULARITY = "held-out items by popularity"
N_RESAMPLES = 1000


def slice_overview(
    evaluations: Mapping[str, Trainings], metric: str, item_degrees: IntArray
) -> pd.DataFrame:
    """One metric of one or two models on every slice, with 95 % bootstrap intervals.

    Users are resampled, and trainings where a model has several (see ``evaluation.compare``).

    Args:
        evaluations: name of the model -> its evaluation, or those of its trainings with different
            seeds; at most two models, all of the same held-out pairs.
        item_degrees: train interactions of every item.

    Returns:
        One row a slice and model: ``group`` (:data:`ALL`, :data:`BY_ACTIVITY`,
        :data:`BY_POPULARITY`), ``slice``, ``model``, ``n_trainings``, ``n_users``, ``n_held_out``
        (pairs), ``mean``, ``low``, ``high``; in rows of the second model also ``difference`` to the first,
        ``difference_low``, ``difference_high`` (paired: the same users are resampled).

    Raises:
        ConfigError: no or more than two models, or a metric that was not evaluated.
        DataError: evaluations of different pairs.
    """
    if not 1 <= len(evaluations) <= 2:
        raise ConfigError(
            expected="one or two models", found=str(len(evaluations)), remedy="pass at most two"
        )
    rows: list[dict[str, object]] = []
    cut = {name: _parts(as_trainings(of), item_degrees) for name, of in evaluations.items()}
    first_name = next(iter(cut))
    for group, name in cut[first_name]:
        first = cut[first_name][group, name]
        for model, parts in cut.items():
            part = parts[group, name]
            low, high = mean_interval(part, metric, N_RESAMPLES)
            row: dict[str, object] = {
                "group": group,
                "slice": name,
                "model": model,
                "n_trainings": len(part),
                "n_users": part[0].n_users,
                "n_held_out": len(part[0].held_out),
                "mean": float(values_of(part, metric).mean()),
                "low": low,
                "high": high,
            }
            if model != first_name:
                change = compare(first, part, metric, n_resamples=N_RESAMPLES)
                row |= {
                    "difference": change.difference,
                    "difference_low": change.low,
                    "difference_high": change.high,
                }
            rows.append(row)
    return pd.DataFrame(rows)


def _parts(
    trainings: Sequence[Evaluation], item_degrees: IntArray
) -> dict[tuple[str, str], list[Evaluation]]:
    """(group, slice) -> that slice of every training."""
    parts: dict[tuple[str, str], list[Evaluation]] = {}
    for evaluation in trainings:
        groups = {
            ALL: {"all users": evaluation},
            BY_ACTIVITY: by_activity(evaluation),
            BY_POPULARITY: by_popularity(evaluation, item_degrees),
        }
        for group, slices in groups.items():
            for name, part in slices.items():
                parts.setdefault((group, name), []).append(part)
    return parts


def top_k_table(
    user_emb: Embedding,
    item_emb: Embedding,
    train_matrix: TrainMatrix,
    k: int,
    user_ids: IdArray,
    item_ids: IdArray,
    users: IntArray | None = None,
) -> pd.DataFrame:
    """The ``k`` best unseen items of every user, or of ``users``, with original ids, one row a pair.

    Returns:
        ``user_id``, ``rank`` (from 1), ``item_id``, ``score``; users in the order given (all of them:
        dense order), best first. A user with fewer than ``k`` unseen items has fewer rows.

    Raises:
        ConfigError, DataError: see :func:`rednd_core.evaluation.ranking.top_k`.
    """
    listed = np.arange(len(user_ids)) if users is None else users
    items, scores = top_k(user_emb, item_emb, train_matrix, listed, k)
    filled = items >= 0
    rows, places = np.nonzero(filled)
    return pd.DataFrame(
        {
            "user_id": user_ids[listed[rows]],
            "rank": places + 1,
            "item_id": item_ids[items[filled]],
            "score": scores[filled],
        }
    )
