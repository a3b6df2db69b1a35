"""A slow, obvious ranking to check the fast one against."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import scipy.sparse as sp

from rednd_core.data.schema import Interactions, interaction_matrix


@dataclass(frozen=True)
class Case:
    user_emb: np.ndarray
    item_emb: np.ndarray
    train: sp.csr_array
    held_out: Interactions

    @property
    def args(self):
        return self.user_emb, self.item_emb, self.train, self.held_out

    def ranking(self, user: int) -> list[int]:
        """Unseen items, best first, lower index first among equals: one Python sort."""
        scores = self.user_emb[user].astype(np.float64) @ self.item_emb.astype(np.float64).T
        seen = set(self.train[[user]].indices.tolist())
        unseen = [i for i in range(len(scores)) if i not in seen]
        return sorted(unseen, key=lambda i: (-scores[i], i))

    def held_out_of(self, user: int) -> set[int]:
        return set(self.held_out.items[self.held_out.users == user].tolist())


def make_case(seed=0, n_users=150, n_items=43, d=5, levels=2, train_p=0.2, held_p=0.06) -> Case:
    """Whole-number embeddings: scores are exact, and small ``levels`` make many of them equal."""
    rng = np.random.default_rng(seed)
    user_emb = rng.integers(-levels, levels + 1, (n_users, d)).astype(np.float32)
    item_emb = rng.integers(-levels, levels + 1, (n_items, d)).astype(np.float32)
    draw = rng.random((n_users, n_items))
    train = Interactions(*np.nonzero(draw < train_p))
    held = np.argwhere((draw >= train_p) & (draw < train_p + held_p))
    held = rng.permutation(held)  # not sorted by user
    pairs = Interactions(held[:, 0].copy(), held[:, 1].copy())
    return Case(user_emb, item_emb, interaction_matrix(train, n_users, n_items), pairs)


@pytest.fixture(params=["ties", "distinct", "collapsed", "popularity", "dense"])
def case(request) -> Case:
    if request.param == "ties":
        return make_case()
    if request.param == "distinct":
        return make_case(seed=1, levels=4000, d=2)
    if request.param == "dense":
        return make_case(seed=2, n_users=140, n_items=64, held_p=0.5)
    base = make_case(seed=3)
    if request.param == "collapsed":
        same = np.tile(base.item_emb[:1], (len(base.item_emb), 1))
        return Case(base.user_emb, same, base.train, base.held_out)
    degrees = np.bincount(base.train.indices, minlength=43).astype(np.float32)[:, None]
    return Case(np.ones((150, 1), np.float32), degrees, base.train, base.held_out)
