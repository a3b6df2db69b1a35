"""Items whose features of one modality disagree with their other features, and what that does to lists.

A picture that shows something else, or nothing, is not marked as such in a data set. But its features are far
from the pictures of the items that the other modalities find alike, and from those of the items that the same
users choose. For modality m with features f, all other modalities together with features g (rows of length 1,
cosine everywhere), and R the train matrix:

    e_i          direction of the mean of f over the 10 items nearest to i by g
    c_i(f)       direction of the sum over j of cos(R_i, R_j) f_j, R_i the column of item i: chosen with i
    worse(f, t)  share of all items whose f has a higher cosine with the direction t than that of i
    misfit       worse(f, e_i) > .1, and worse(f, c_i(f)) > worse(g, c_i(g))

The second condition decides which of two modalities that disagree is the wrong one: users did not follow it.
An item that nobody chose is no misfit, because nobody can tell.

What such features do is measured by replacing them: x^0 of each misfit becomes that of an item that is alike
and no misfit, the donor, and the model is propagated anew. A recommendation that fewer than half of the
donors leave in the list is one that the misfit caused. Nothing is trained again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rednd_core.cosine import unit_rows
from rednd_core.data.schema import IntArray
from rednd_core.errors import DataError, unknown_name
from rednd_core.evaluation.linear import LinearModel
from rednd_core.evaluation.ranking import top_k
from rednd_core.evaluation.scoring import TrainMatrix

N_ALIKE = 10
"""Items that say what the features of an item would be like."""
MISFIT_SHARE = 0.1
"""Share of all items that may fit an item's place better than the item itself."""
N_DONORS = 5
"""Items whose vectors stand in for a misfit, one after the other. It is odd, so that most of them decide."""
ROWS_AT_ONCE = 1024

Features = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Misfits:
    """The items whose features of one modality do not fit.

    Attributes:
        items: dense ids, ascending, (n,).
        donors: (n, :data:`N_DONORS`) of each, the most similar one first.
    """

    modality: str
    items: IntArray
    donors: IntArray

    def replaced(self, model: LinearModel) -> Iterator[LinearModel]:
        """``model`` with the vectors of the first donors in place of the misfits', then of the second, ..."""
        if self.modality not in model.ego:
            raise unknown_name("modality", self.modality, model.ego)
        for donors in self.donors.T:
            x = np.array(model.ego[self.modality])
            x[model.n_users + self.items] = x[model.n_users + donors]
            yield replace(model, ego={**model.ego, self.modality: x})


def find_misfits(
    features: Mapping[str, Features], modality: str, train_matrix: TrainMatrix
) -> Misfits | None:
    """The items whose ``modality`` disagrees with their other features and with what users choose.

    An item without features of one kind (a zero row) is no misfit and no donor.

    Args:
        features: modality -> (n_items, dim), raw, as the data set has them.
        train_matrix: (n_users, n_items) CSR.

    Returns:
        None where there is nothing to compare with: one modality only, or too few items.

    Raises:
        ConfigError: an unknown modality.
    """
    if modality not in features:
        raise unknown_name("modality", modality, features)
    others = [unit_rows(np.asarray(f)) for name, f in features.items() if name != modality]
    own = unit_rows(np.asarray(features[modality]))
    if not others or len(own) <= N_ALIKE:
        return None
    rest = unit_rows(np.concatenate(others, axis=1))
    known = np.asarray(own.any(axis=1) & rest.any(axis=1), dtype=np.bool_)
    everything = np.arange(len(own))
    alike = np.concatenate([found for _, found in _nearest(rest, known, N_ALIKE, everything)])
    disagrees = _worse(own, np.stack([own[near].mean(axis=0) for near in alike])) > MISFIT_SHARE
    chosen_with = _worse(own, _chosen_with(train_matrix, own))
    is_wrong = chosen_with > _worse(rest, _chosen_with(train_matrix, rest))
    misfit = known & disagrees & is_wrong
    fitting = known & ~misfit
    if fitting.sum() <= N_DONORS:
        return None
    items = np.flatnonzero(misfit)
    donors = [found for _, found in _nearest(rest, fitting, N_DONORS, items)]
    none = np.empty((0, N_DONORS), dtype=np.int64)
    return Misfits(modality, items, np.concatenate([none, *donors]))


def _worse(unit: Features, targets: Features) -> NDArray[np.float64]:
    """Share of all items with a higher cosine with ``targets[i]`` than item i has, (n_items,)."""
    directions = unit_rows(np.asarray(targets))
    share = np.zeros(len(unit))
    for start in range(0, len(unit), ROWS_AT_ONCE):
        rows = np.arange(start, min(start + ROWS_AT_ONCE, len(unit)))
        fits = directions[rows] @ unit.T
        own = fits[np.arange(len(rows)), rows, None]
        share[rows] = (fits > own).mean(axis=1)
    return share


def _chosen_with(train_matrix: TrainMatrix, unit: Features) -> Features:
    """sum over j != i of cos(R_i, R_j) f_j, (n_items, dim)."""
    degrees = np.bincount(train_matrix.indices, minlength=train_matrix.shape[1])
    columns = train_matrix.astype(bool).astype(np.float64) * (1 / np.sqrt(np.maximum(degrees, 1)))
    total: Features = columns.T @ (columns @ unit) - (degrees > 0)[:, None] * unit
    return total


def _nearest(
    unit: Features, allowed: NDArray[np.bool_], k: int, items: IntArray
) -> Iterator[tuple[IntArray, IntArray]]:
    """(rows of ``items``, their k nearest allowed items but themselves, nearest first), block by block."""
    for start in range(0, len(items), ROWS_AT_ONCE):
        rows = items[start : start + ROWS_AT_ONCE]
        cosines = unit[rows] @ unit.T
        cosines[:, ~allowed] = -np.inf
        cosines[np.arange(len(rows)), rows] = -np.inf
        found = np.argpartition(-cosines, k - 1, axis=1)[:, :k]
        order = np.argsort(-np.take_along_axis(cosines, found, axis=1), axis=1, kind="stable")
        yield rows, np.take_along_axis(found, order, axis=1)


def misled(
    model: LinearModel, misfits: Misfits, users: ArrayLike, items: IntArray
) -> NDArray[np.bool_]:
    """Which recommendations are there because features do not fit.

    Args:
        users: (n,) whose lists they are. items: (n, k) lists of ``model``, -1 where a list is shorter.

    Returns:
        (n, k): whether the item is a misfit, and most donors do not leave it in the list.
    """
    rows = np.asarray(users, dtype=np.int64)
    if len(rows) != len(items):
        raise DataError(
            expected=f"a list for each of {len(rows)} users",
            found=f"{len(items)} lists",
            remedy="pass the lists of these users",
        )
    k = items.shape[1]
    stays = np.zeros(items.shape, dtype=np.int64)
    for other in misfits.replaced(model):
        listed, _ = top_k(*other.embeddings, model.train_matrix, rows, k)
        n_items = model.train_matrix.shape[1]
        place = np.arange(len(rows))[:, None] * n_items
        stays += np.isin(items + place, (listed + place)[listed >= 0])
    caused: NDArray[np.bool_] = np.isin(items, misfits.items) & (2 * stays < N_DONORS)
    return caused
