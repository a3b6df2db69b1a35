"""Evaluations of parts: for whom, and for which items, does a model work?

Every function cuts an evaluation into named, disjoint parts that are evaluations themselves; a part
without anyone is left out. Parts by degree, activity and metric divide the users. Parts by popularity
divide the held-out pairs: a user with a popular and a rare held-out item is averaged in both, each time
over the items of that part only.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rednd_core.data.schema import IntArray
from rednd_core.errors import ConfigError, DataError
from rednd_core.evaluation.evaluate import Evaluation


def by_degree(evaluation: Evaluation, n_parts: int = 4) -> dict[str, Evaluation]:
    """Users by quantiles of their train interactions, fewest first.

    Users of equal degree stay together, so parts differ in size and there may be fewer than asked for.
    Names give the degrees inside, e.g. ``"3-4"``.
    """
    if n_parts < 1:
        raise ConfigError(expected="at least 1 part", found=str(n_parts), remedy="raise n_parts")
    degrees = evaluation.n_train
    inner = np.quantile(degrees, np.arange(1, n_parts) / n_parts, method="inverted_cdf")
    part = np.searchsorted(
        np.unique(inner), degrees, side="left"
    )  # a cut belongs to the part below
    parts = {}
    for index in np.unique(part):
        inside = degrees[part == index]
        low, high = int(inside.min()), int(inside.max())
        name = str(low) if low == high else f"{low}-{high}"
        parts[name] = evaluation.for_users(part == index)
    return parts


def by_activity(
    evaluation: Evaluation, cold_at_most: int = 5, heavy_share: float = 0.1
) -> dict[str, Evaluation]:
    """Users by how much they did.

    ``cold``: at most ``cold_at_most`` train interactions; ``heavy``: of the others, those within the most
    active ``heavy_share`` of all users (users as active as the last of them included); ``middle``: the rest.
    """
    if not 0 < heavy_share < 1:
        raise ConfigError(
            expected="heavy_share between 0 and 1", found=str(heavy_share), remedy="change it"
        )
    degrees = evaluation.n_train
    n_heavy = max(1, round(heavy_share * len(degrees)))
    cold = degrees <= cold_at_most
    heavy = ~cold & (degrees >= np.sort(degrees)[-n_heavy])
    return _parts(evaluation, {"cold": cold, "middle": ~cold & ~heavy, "heavy": heavy})


def by_metric(evaluation: Evaluation, metric: str, n: int) -> dict[str, Evaluation]:
    """``worst``: the ``n`` users with the lowest value; ``best``: the ``n`` with the highest; ``rest``.

    Of equal values, those of users with more held-out items are taken first, on either side, for more
    was at stake; then those with the lower id.
    """
    values = evaluation.values(metric)
    if not 1 <= n <= evaluation.n_users // 2:
        raise ConfigError(
            expected=f"n from 1 to half of the {evaluation.n_users:,} users",
            found=str(n),
            remedy="choose fewer users",
        )
    position = np.arange(len(values))
    worst = np.lexsort((position, -evaluation.n_held_out, values))[:n]
    candidates = np.setdiff1d(position, worst)
    order = np.lexsort(
        (candidates, -evaluation.n_held_out[candidates], -values[candidates]),
    )
    part = np.full(len(values), "rest", dtype=object)
    part[worst], part[candidates[order[:n]]] = "worst", "best"
    return _parts(evaluation, {name: part == name for name in ("worst", "rest", "best")})


def by_popularity(evaluation: Evaluation, item_degrees: IntArray) -> dict[str, Evaluation]:
    """Held-out pairs by the popularity of their item: ``head``, ``torso``, ``tail``.

    See :func:`popularity_groups`; ``item_degrees`` are the train interactions of every item.
    """
    groups = popularity_groups(item_degrees)
    items = evaluation.held_out.items
    if items.max() >= len(groups):
        raise DataError(
            expected="a degree for every item",
            found=f"{len(groups):,} degrees and item {items.max()}",
            remedy="pass the data set's item_degrees",
        )
    chosen = {name: groups[items] == name for name in ("head", "torso", "tail")}
    return {name: evaluation.for_pairs(mask) for name, mask in chosen.items() if mask.any()}


def popularity_groups(item_degrees: IntArray) -> NDArray[np.object_]:
    """``head``, ``torso`` or ``tail`` for every item, (n_items,).

    Most popular first, items are in the head while those before them hold less than a third of all
    train interactions, in the torso while less than two thirds, then in the tail. Items of equal degree
    stay together, with the first of them.
    """
    degrees = np.asarray(item_degrees)
    values, inverse, counts = np.unique(-degrees, return_inverse=True, return_counts=True)
    mass = -values * counts
    before = np.cumsum(mass) - mass
    third = np.searchsorted(np.array([1, 2]) * mass.sum(), 3 * before, side="right")
    names = np.array(["head", "torso", "tail"], dtype=object)[third]
    names[values == 0] = "tail"
    return names[inverse]  # type: ignore[no-any-return]


def slice_table(parts: Mapping[str, Evaluation]) -> pd.DataFrame:
    """One row a part: ``slice``, ``n_users``, ``n_held_out`` (pairs), and the mean of every metric."""
    return pd.DataFrame(
        [
            {
                "slice": name,
                "n_users": part.n_users,
                "n_held_out": len(part.held_out),
                **part.metrics,
            }
            for name, part in parts.items()
        ]
    )


def _parts(
    evaluation: Evaluation, chosen: Mapping[str, NDArray[np.bool_]]
) -> dict[str, Evaluation]:
    return {name: evaluation.for_users(mask) for name, mask in chosen.items() if mask.any()}
