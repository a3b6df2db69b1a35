"""Beyond accuracy: what the lists of a model are like, whoever they are for.

For the lists of the users of a slice, with p_i the train interactions of item i (of all users), n the
number of all users and m the number of all items:

============ ================================================== ==========================================
measure      value                                              denominator
============ ================================================== ==========================================
coverage     items that stand in at least one list              all m items, whatever U is
gini         Gini coefficient of how often each item is listed: all m items, never listed ones included
             0 all equally often, near 1 a few items only
novelty      mean of -log2(max(p_i, 1) / n), in bits            per user the items of the list, then users
lift         (G_lists - G_histories) / G_histories, with G the  users with a list and a history, for both
             mean over users of the mean p_i of their items:
             0 as popular as what they chose, 1 twice as popular
diversity    mean of 1 - cos(v_i, v_j) over pairs i < j of a     per user the pairs of the list, then users
             list, v any vectors of items                       whose lists have at least two items
============ ================================================== ==========================================

An item without a vector (a zero row) has cosine 0 with every other. A mean over nobody is NaN.

Sources: coverage Herlocker et al. (TOIS 2004) and Ge et al. (RecSys 2010); gini Fleder and Hosanagar
(Management Science 2009); novelty, the mean self-information, Zhou et al. (PNAS 2010); lift Abdollahpouri et
al. (RecSys 2020); diversity Smyth and McClave (ICCBR 2001) and Ziegler et al. (WWW 2005).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rednd_core.data.report import gini
from rednd_core.data.schema import IntArray
from rednd_core.errors import DataError
from rednd_core.evaluation.scoring import TrainMatrix, check_ids

MEASURES = ("coverage", "gini", "novelty", "lift", "diversity")
USERS_AT_ONCE = 1024  # bounds the memory of the vectors of their lists

Array = NDArray[np.float64]


def beyond_accuracy(
    items: IntArray,
    users: IntArray,
    train_matrix: TrainMatrix,
    slices: Mapping[str, IntArray],
    vectors: NDArray[np.floating] | None = None,
) -> pd.DataFrame:
    """The measures of the lists, slice by slice.

    Args:
        items: (n, k) lists, best first, -1 where a list is shorter, as
            :func:`rednd_core.evaluation.ranking.top_k` returns them.
        users: (n,) whose lists they are, dense ids, each once.
        train_matrix: (n_users, n_items) CSR.
        slices: name -> dense ids of its users; those without a list are left out.
        vectors: (n_items, d) of which the diversity is taken, e.g. features; None leaves it NaN.

    Returns:
        One row a slice: ``slice``, ``n_users`` (with a list of at least one item), ``n_listed``, and the
        :data:`MEASURES`.

    Raises:
        DataError: ids out of range, or shapes that do not fit.
    """
    n_users, n_items = train_matrix.shape
    check_ids(users, n_users, "user")
    filled = items >= 0
    check_ids(items[filled], n_items, "item")
    if len(items) != len(users) or (vectors is not None and len(vectors) != n_items):
        raise DataError(
            expected=f"a list for each of {len(users)} users and a vector for each of {n_items} items",
            found=f"{len(items)} lists, {'no' if vectors is None else len(vectors)} vectors",
            remedy="pass the lists and vectors of the data set that the run was trained on",
        )
    popularity = np.bincount(train_matrix.indices, minlength=n_items)
    bits = -np.log2(np.maximum(popularity, 1) / n_users)
    sizes = np.diff(train_matrix.indptr)
    chosen = train_matrix.astype(bool).astype(np.float64) @ popularity / np.maximum(sizes, 1)
    per_user = pd.DataFrame(
        {
            "n": filled.sum(axis=1),
            "novelty": _mean(bits, items, filled),
            "listed": _mean(popularity, items, filled),
            "chosen": np.where(sizes > 0, chosen, math.nan)[users],
            "diversity": math.nan if vectors is None else _diversity(vectors, items, filled),
        },
        index=users,
    )
    rows = []
    for name, members in slices.items():
        inside = np.isin(users, members) & (per_user["n"].to_numpy() > 0)
        part, listed = per_user[inside], items[inside][filled[inside]]
        counts = np.bincount(listed, minlength=n_items)
        both = part.dropna(subset="chosen")
        rows.append(
            {
                "slice": name,
                "n_users": len(part),
                "n_listed": len(listed),
                "coverage": float((counts > 0).mean()) if len(part) else math.nan,
                "gini": gini(counts) if len(part) else math.nan,
                "novelty": float(part["novelty"].mean()),
                "lift": float(both["listed"].mean() / both["chosen"].mean() - 1),
                "diversity": float(part["diversity"].mean()),
            }
        )
    return pd.DataFrame(rows, columns=["slice", "n_users", "n_listed", *MEASURES])


def _mean(values: NDArray[np.number], items: IntArray, filled: NDArray[np.bool_]) -> Array:
    """Mean of ``values`` (n_items,) over every list, (n,); NaN for an empty list."""
    n = filled.sum(axis=1)
    sums = np.where(filled, values[items], 0).sum(axis=1)
    found: Array = np.full(len(n), math.nan)
    np.divide(sums, n, out=found, where=n > 0)
    return found


def _diversity(vectors: NDArray[np.floating], items: IntArray, filled: NDArray[np.bool_]) -> Array:
    """Mean cosine distance over the pairs of every list, (n,); NaN for fewer than two items.

    The sum of the cosines of all ordered pairs of unit vectors u is |sum u|^2 - sum |u|^2.
    """
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True).astype(np.float64)
    unit = np.divide(vectors, lengths, out=np.zeros(vectors.shape), where=lengths > 0)
    found = np.full(len(items), math.nan)
    for start in range(0, len(items), USERS_AT_ONCE):
        rows = slice(start, start + USERS_AT_ONCE)
        listed = unit[items[rows]] * filled[rows, :, None]  # (b, k, d)
        n = filled[rows].sum(axis=1)
        total = listed.sum(axis=1)
        cosines = np.einsum("bd,bd->b", total, total) - np.einsum("bkd,bkd->b", listed, listed)
        pairs = n * (n - 1)
        found[rows] = 1 - cosines / np.where(pairs > 0, pairs, math.nan)
    return found
