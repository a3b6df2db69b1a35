"""Columns of users and of items, by which the page Explain cuts its users into slices."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app import cached
from app.explain.asked import Asked
from rednd_core.evaluation.evaluate import Evaluation
from rednd_core.evaluation.slices import by_activity, by_degree, popularity_groups
from rednd_core.evaluation.verdicts import OTHER, VERDICTS
from rednd_core.evaluation.weak_slices import MOST_VALUES, banded

ACTIVITY, DEGREE, BY_VERDICT, ON_MAP = (
    "activity (cold, middle, heavy)", "train interactions", "verdict under run A", "selected on the map",
)  # fmt: skip
POPULARITY = "popularity of the held-out item"
OF_USER, OF_ITEM = "users", "held-out items"
KEYS = {
    "user_id",
    "item_id",
    "title",
    "name",
    "image",
    "description",
}  # columns that name, not sort

Flags = NDArray[np.bool_]


def slicings(asked: Asked) -> Mapping[str, Callable[[], Mapping[str, Flags]]]:
    """Ways to cut the evaluated users -> a function that gives the slices, (n_users,) each."""
    evaluation = asked.evaluation
    ways: dict[str, Callable[[], Mapping[str, Flags]]] = {
        ACTIVITY: lambda: _members(evaluation, by_activity(evaluation)),
        DEGREE: lambda: _members(evaluation, by_degree(evaluation)),
        BY_VERDICT: lambda: _by_verdict(asked),
    }
    if any(node < asked.dataset.n_users for node in asked.group):
        ways[ON_MAP] = lambda: _on_map(asked)
    for name, column in user_columns(asked).items():
        if (texts := banded(column)) is not None and texts.nunique() > 1:
            ways[name] = lambda texts=texts: _by_value(texts)  # type: ignore[misc]
    return ways


def item_slicings(asked: Asked) -> Mapping[str, NDArray[np.object_]]:
    """Ways to cut the held-out pairs -> a text for every item, (n_items,)."""
    ways = {POPULARITY: popularity_groups(asked.dataset.item_degrees)}
    for name in asked.dataset.items.columns.difference(list(KEYS), sort=False):
        texts = banded(asked.dataset.items[name])
        if texts is not None and texts.nunique() > 1:
            ways[f"{name} of the held-out item"] = texts.to_numpy(dtype=object)
    return ways


def user_columns(asked: Asked) -> dict[str, pd.Series]:
    """Columns of the users table, for the evaluated users."""
    table = asked.users.iloc[asked.evaluation.users].reset_index(drop=True)
    return {name: table[name] for name in table.columns.difference(list(KEYS), sort=False)}


def history_columns(asked: Asked) -> dict[str, pd.Series]:
    """What the items of the evaluated users are like: their number, popularity and main category."""
    dataset, users = asked.dataset, asked.evaluation.users
    pairs = asked.evaluation.held_out
    held_out = np.bincount(
        pairs.users, weights=dataset.item_degrees[pairs.items], minlength=dataset.n_users
    )
    matrix = dataset.train_matrix
    sizes = np.diff(matrix.indptr)
    mean_degree = (matrix @ dataset.item_degrees / np.maximum(sizes, 1)).round(1)
    found = {
        "train items": pd.Series(sizes[users]),
        "mean popularity of the train items": pd.Series(mean_degree[users]),
        "mean popularity of the held-out items": pd.Series(
            (held_out[users] / asked.evaluation.n_held_out).round(1)
        ),
    }
    if "category" in dataset.items:
        code, names = pd.factorize(dataset.items["category"])
        if len(names) <= MOST_VALUES:
            owner = np.repeat(np.arange(dataset.n_users), sizes)
            counts = np.zeros((dataset.n_users, len(names)), dtype=np.int32)
            np.add.at(counts, (owner, code[matrix.indices]), 1)
            main = np.where(sizes > 0, np.asarray(names, dtype=object)[counts.argmax(axis=1)], "")
            found["main category of the train items"] = pd.Series(main[users])
    return found


def _members(evaluation: Evaluation, parts: Mapping[str, Evaluation]) -> dict[str, Flags]:
    return {name: np.isin(evaluation.users, part.users) for name, part in parts.items()}


def _by_value(texts: pd.Series) -> dict[str, Flags]:
    values = texts.to_numpy(dtype=object)
    return {str(each) or "(none)": values == each for each in pd.unique(texts)}


def _by_verdict(asked: Asked) -> dict[str, Flags]:
    verdicts = cached.verdicts(asked.run, asked.split, asked.k).table
    users = asked.evaluation.users
    fails = {
        name: np.isin(users, verdicts.loc[verdicts["verdict"] == name, "user"])
        for name in (*VERDICTS, OTHER)
    }
    return {"does not fail": ~np.isin(users, verdicts["user"]), **fails}


def _on_map(asked: Asked) -> dict[str, Flags]:
    inside = np.isin(asked.evaluation.users, asked.group)
    return {"selected": inside, "all others": ~inside}
