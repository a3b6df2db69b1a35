"""Why a model fails for a user: classes of failure, by rules that ``docs/verdicts.md`` names.

A user fails at list length k if none of the held-out items is in the list. Seven rules look at the user, and
several may hold. The first four change one thing about the model and look whether a held-out item then enters
the list; the last three look at the data alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rednd_core.data.schema import FloatArray, IntArray, Interactions
from rednd_core.errors import ConfigError
from rednd_core.evaluation.evaluate import Evaluation
from rednd_core.evaluation.linear import LinearModel
from rednd_core.evaluation.misfit import Misfits
from rednd_core.evaluation.ranking import held_out_ranks
from rednd_core.evaluation.scoring import TrainMatrix
from rednd_core.evaluation.slices import popularity_groups

MISLEADS, LOST, CROWD, NEAR = "modality misleads", "lost at depth", "popular crowd", "near miss"
UNCONNECTED, TAIL, NEW = "no shared neighbours", "tail item", "new interest"
OTHER = "none of these"
VERDICTS: dict[str, str] = {
    MISLEADS: "with fitting features in place of those that do not fit, a held-out item would be listed",
    LOST: "if propagation stopped at an earlier layer, a held-out item would be listed",
    CROWD: "without what the model recommends to everybody, a held-out item would be listed",
    NEAR: "a held-out item stands within twice the length of the list",
    UNCONNECTED: "no other user who has a held-out item shares a train item with this user",
    TAIL: "every held-out item is among the least popular ones, which hold a third of all interactions",
    NEW: "no held-out item has a category of the user's train items",
}
"""Class -> its rule, by precedence: the first rule that holds is the user's verdict."""
NEAR_FACTOR = 2
"""Lengths of a list within which a held-out item is nearly listed."""
PAIRS_AT_ONCE = 512

Flags = NDArray[np.bool_]
Embeddings = tuple[NDArray[np.floating], NDArray[np.floating]]


@dataclass(frozen=True, eq=False)
class Evidence:
    """What the rules look at, for every held-out pair of an evaluation, whatever the length of the list.

    Attributes:
        evaluation: the model's own ranks.
        by_depth: (L + 1, n_pairs): ranks if propagation stopped at layer 0 .. L; None where nobody knows.
        without_crowd: (n_pairs,): ranks with the mean user's vector subtracted from every user's.
        fitting: modality -> (donors, n_pairs): ranks with other items' vectors in place of the misfits.
        connected: (n_pairs,): whether another user who has the item shares a train item with the user.
        tail: (n_pairs,): whether the item is in the tail.
        familiar: (n_pairs,): whether the user has a train item of the item's category; None without
            categories.
    """

    evaluation: Evaluation
    by_depth: IntArray | None
    without_crowd: IntArray
    fitting: Mapping[str, IntArray]
    connected: Flags
    tail: Flags
    familiar: Flags | None

    @property
    def not_judged(self) -> dict[str, str]:
        """The classes that nobody gets here -> why."""
        missing = {}
        if not self.fitting:
            missing[MISLEADS] = (
                "it takes at least two modalities, and a model whose scores follow from x^0 by products"
            )
        if self.by_depth is None or len(self.by_depth) < 2:
            missing[LOST] = "the model has no layer that could be left out"
        if self.familiar is None:
            missing[NEW] = "the items have no categories"
        return missing


@dataclass(frozen=True, eq=False)
class Verdicts:
    """The failing users at one length of the list.

    Attributes:
        n_users: users with held-out items, failing or not.
        table: one row a failing user: ``user`` (dense id), ``n_train``, ``n_held_out``, ``best_rank`` of
            the held-out items, ``best_item``, ``verdict``, a boolean column for each of :data:`VERDICTS`,
            ``depth`` (the layer after which no held-out item is listed any more, -1 without the class
            :data:`LOST`) and ``modality`` (that misleads; "" without).
    """

    k: int
    n_users: int
    table: pd.DataFrame

    @property
    def counts(self) -> pd.DataFrame:
        """A row for each class and one for :data:`OTHER`: ``verdict``, ``n_first`` (users whose verdict it
        is), ``n`` (users for whom it holds).
        """
        names = [*VERDICTS, OTHER]
        first = self.table["verdict"].value_counts()
        n_first = [int(first.get(name, 0)) for name in names]
        n = [int(self.table[name].sum()) for name in VERDICTS]
        return pd.DataFrame({"verdict": names, "n_first": n_first, "n": [*n, n_first[-1]]})

    def of(self, verdict: str) -> pd.DataFrame:
        """The rows of the users for whom a class holds, the nearest miss first."""
        chosen = (
            self.table["verdict"] == OTHER if verdict == OTHER else self.table[verdict].astype(bool)
        )
        return self.table[chosen].sort_values("best_rank", kind="stable", ignore_index=True)


def judge(evidence: Evidence, k: int) -> Verdicts:
    """Apply the rules to every user without a held-out item among the first ``k``.

    Raises:
        ConfigError: ``k`` below 1.
    """
    if k < 1:
        raise ConfigError(expected="k of at least 1", found=str(k), remedy="raise k")
    evaluation = evidence.evaluation
    users, ranks = evaluation.held_out.users, evaluation.ranks
    position = np.searchsorted(evaluation.users, users)
    order = np.lexsort((ranks, position))
    best = order[np.searchsorted(position[order], np.arange(evaluation.n_users))]  # a pair a user
    failing = ranks[best] > k

    def any_pair(holds: Flags) -> Flags:
        return np.bincount(position, weights=holds, minlength=evaluation.n_users) > 0

    def every_pair(holds: Flags) -> Flags:
        return ~any_pair(~holds)

    nobody = np.zeros(evaluation.n_users, dtype=bool)
    depth = _lost_at(evidence.by_depth, any_pair, k, evaluation.n_users)
    by_modality = {
        m: any_pair(2 * (of <= k).sum(axis=0) > len(of)) for m, of in evidence.fitting.items()
    }
    modality = np.full(evaluation.n_users, "", dtype=object)
    for name, misleads in reversed(by_modality.items()):
        modality[misleads] = name
    holds = {
        MISLEADS: np.logical_or.reduce([nobody, *by_modality.values()]),
        LOST: depth >= 0,
        CROWD: any_pair(evidence.without_crowd <= k),
        NEAR: ranks[best] <= NEAR_FACTOR * k,
        UNCONNECTED: every_pair(~evidence.connected),
        TAIL: every_pair(evidence.tail),
        NEW: nobody if evidence.familiar is None else every_pair(~evidence.familiar),
    }
    verdict = np.full(evaluation.n_users, OTHER, dtype=object)
    for name in reversed(VERDICTS):
        verdict[holds[name]] = name
    table = pd.DataFrame(
        {
            "user": evaluation.users,
            "n_train": evaluation.n_train,
            "n_held_out": evaluation.n_held_out,
            "best_rank": ranks[best],
            "best_item": evaluation.held_out.items[best],
            "verdict": verdict,
            **{name: holds[name] for name in VERDICTS},
            "depth": depth,
            "modality": modality,
        }
    )
    return Verdicts(k, evaluation.n_users, table[failing].reset_index(drop=True))


def _lost_at(
    by_depth: IntArray | None, any_pair: Callable[[Flags], Flags], k: int, n_users: int
) -> IntArray:
    """The first layer from which on no held-out item is listed, (n_users,); -1 where none ever was."""
    lost = np.full(n_users, -1, dtype=np.int64)
    if by_depth is None:
        return lost
    for layer, ranks in enumerate(by_depth[:-1]):
        lost[any_pair(ranks <= k)] = layer + 1
    return lost


def gather_evidence(
    evaluation: Evaluation,
    user_emb: NDArray[np.floating],
    item_emb: NDArray[np.floating],
    train_matrix: TrainMatrix,
    *,
    depths: Iterable[Embeddings] | None = None,
    linear: LinearModel | None = None,
    misfits: Sequence[Misfits] = (),
    categories: Sequence[str] | None = None,
) -> Evidence:
    """Rank the held-out pairs of ``evaluation`` again under each change.

    Args:
        user_emb: (n_users, d). item_emb: (n_items, d). What scores.
        train_matrix: (n_users, n_items) CSR.
        depths: what would score if propagation stopped at layer 0 .. L, users and items; one at a time.
        linear: the same model as products; without it no misfits are replaced.
        misfits: of the modalities that are judged.
        categories: of every item, (n_items,); an empty one is no category.
    """
    pairs = evaluation.held_out

    def ranks(users: NDArray[np.floating], items: NDArray[np.floating]) -> IntArray:
        return held_out_ranks(users, items, train_matrix, pairs)

    fitting = {}
    if linear is not None:
        for of in misfits:
            fitting[of.modality] = np.stack([ranks(*m.embeddings) for m in of.replaced(linear)])
    users = np.asarray(user_emb, dtype=np.float32)
    by_depth = None if depths is None else np.stack([ranks(*of) for of in depths])
    groups = popularity_groups(np.bincount(train_matrix.indices, minlength=train_matrix.shape[1]))
    return Evidence(
        evaluation=evaluation,
        by_depth=by_depth,
        without_crowd=ranks(_without_mean(users), item_emb),
        fitting=fitting,
        connected=_connected(train_matrix, pairs),
        tail=groups[pairs.items] == "tail",
        familiar=None if categories is None else _familiar(train_matrix, pairs, categories),
    )


def _without_mean(users: FloatArray) -> FloatArray:
    centred: FloatArray = (users - users.mean(axis=0, dtype=np.float64)).astype(np.float32)
    return centred


def _connected(train_matrix: TrainMatrix, pairs: Interactions) -> Flags:
    """Whether a path of three hops leads from the user to the item, pair by pair."""
    binary = train_matrix.astype(bool).astype(np.float32).tocsr()
    back = binary.T.tocsr()
    found = np.zeros(len(pairs), dtype=bool)
    order = np.argsort(pairs.users, kind="stable")
    for start in range(0, len(order), PAIRS_AT_ONCE):
        rows = order[start : start + PAIRS_AT_ONCE]
        alike = binary[pairs.users[rows]] @ back  # users who share a train item
        found[rows] = alike.multiply(back[pairs.items[rows]]).sum(axis=1) > 0
    return found


def _familiar(train_matrix: TrainMatrix, pairs: Interactions, categories: Sequence[str]) -> Flags:
    """Whether the user has a train item of the item's category; True where the item has none."""
    names, codes = np.unique(np.asarray(categories, dtype=str), return_inverse=True)
    owners = np.repeat(np.arange(train_matrix.shape[0]), np.diff(train_matrix.indptr))
    known = np.unique(owners * len(names) + codes[train_matrix.indices])
    wanted = codes[pairs.items]
    has_none = names[wanted] == ""
    found: Flags = np.isin(pairs.users * len(names) + wanted, known) | has_none
    return found
