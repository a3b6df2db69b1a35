"""A graph model that is linear in x^0, as arrays: what it scores with, after any change of the graph.

With R the train matrix, d the degrees, and B = D_users^-1/2 R D_items^-1/2, one layer is
x_users^l = B x_items^(l-1), x_items^l = B^T x_users^(l-1), as in LightGCN (arXiv 2002.02126). With w_l the
weight of layer l in the readout, of modality m:

    z_m = sum over l = 0..L of w_l x_m^l        score(u, i) = sum over m of s_um <z_um, (z_m + S y_m)_i>

s is the weight that a user gives to a modality, S the item graph, and y what the item graph mixes: z as in
RedNⁿD (arXiv 2412.18962) or x^0 as in FREEDOM (arXiv 2211.06924). Without them, s is 1 and S is 0.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from rednd_core.data.schema import FloatArray
from rednd_core.errors import ConfigError, DataError, unknown_name
from rednd_core.evaluation.scoring import TrainMatrix, check_ids
from rednd_core.readout import Readout

Array = NDArray[np.float64]
SAME = 1e-4
"""Share of the largest entry by which embeddings may differ: a run has float32, summed in another order."""


def readout_weights(readout: Readout, depth: int) -> tuple[float, ...]:
    """w_0 .. w_depth, with which the rule gives z^depth = sum over l of w_l x^l.

    Raises:
        ConfigError: a rule that is no weighted sum of layers.
    """
    not_linear = {
        "concat": "concat, which puts them side by side",
        "max": "max, which takes the largest entries",
    }
    if readout.rule in not_linear:
        raise ConfigError(
            expected="a readout that is a weighted sum of layers: mean, sum or last",
            found=not_linear[readout.rule],
            remedy="choose a run with another readout",
        )
    unit = np.eye(depth + 1)  # row l stands for x^l, so that z^depth has w_l at place l
    return tuple(readout.at([row[None] for row in unit])[0].tolist())


@dataclass(frozen=True, eq=False)
class LinearModel:
    """Everything that the scores of a linear graph model follow from.

    Attributes:
        train_matrix: R, (n_users, n_items) CSR, binary.
        ego: modality -> x^0, (N, d_m), users first.
        weights: w_0 .. w_L, see :func:`readout_weights`.
        user_weights: modality -> s, (n_users,); a modality that is not there has weight 1.
        item_graph: S, (n_items, n_items), which also carries the weights of a fusion; None for no graph.
        graph_of_ego: whether S mixes x^0, not z.
        without_popularity: subtract the mean user's vector from every user's. What all users are
            recommended alike then scores 0, and what is left is what this user gets more than others.
    """

    train_matrix: sp.csr_array
    ego: Mapping[str, NDArray[np.floating]]
    weights: tuple[float, ...]
    user_weights: Mapping[str, NDArray[np.floating]]
    item_graph: sp.csr_array | None = None
    graph_of_ego: bool = False
    without_popularity: bool = False

    def __post_init__(self) -> None:
        n_users, n_items = self.train_matrix.shape
        for name, x in self.ego.items():
            if x.ndim != 2 or len(x) != n_users + n_items:
                raise DataError(
                    expected=f"x^0 of modality {name!r} with {n_users + n_items} rows",
                    found=f"shape {x.shape}",
                    remedy="pass the layers of the run that was trained on this data set",
                )
        if not self.ego or not self.weights:
            raise DataError(
                expected="at least one modality and one layer", found="none", remedy="pass a run's"
            )

    @property
    def n_users(self) -> int:
        return int(self.train_matrix.shape[0])

    @cached_property
    def _steps(self) -> sp.csr_array:
        """B, (n_users, n_items)."""
        return normalized(self.train_matrix)

    def layers(self, modality: str) -> list[Array]:
        """x^0 .. x^L of a modality, each (N, d_m) float64."""
        back = self._steps.T.tocsr()
        states = [np.asarray(self.ego[modality], dtype=np.float64)]
        for _ in self.weights[1:]:
            users, items = states[-1][: self.n_users], states[-1][self.n_users :]
            states.append(np.concatenate([self._steps @ items, back @ users]))
        return states

    @cached_property
    def embeddings(self) -> tuple[FloatArray, FloatArray]:
        """What scores by one inner product: (n_users, sum of d_m) and (n_items, sum of d_m) float32."""
        users, items = [], []
        for modality in self.ego:
            pairs = zip(self.weights, self.layers(modality), strict=True)
            z = sum((weight * x for weight, x in pairs), np.zeros(1))
            own = z[: self.n_users]
            if modality in self.user_weights:
                own = np.asarray(self.user_weights[modality], dtype=np.float64)[:, None] * own
            users.append(own - own.mean(axis=0) if self.without_popularity else own)
            of_items = z[self.n_users :]
            if self.item_graph is not None:
                mixed = self.ego[modality][self.n_users :] if self.graph_of_ego else of_items
                of_items = of_items + self.item_graph @ mixed
            items.append(of_items)
        return (
            np.concatenate(users, axis=1).astype(np.float32),
            np.concatenate(items, axis=1).astype(np.float32),
        )

    def with_history(
        self, user: int, *, add: Sequence[int] = (), remove: Sequence[int] = ()
    ) -> LinearModel:
        """The model on the graph where ``user`` has other train items; nothing is trained again.

        Raises:
            DataError: ids out of range, a train item to add, or another item to remove.
        """
        check_ids(user, self.n_users, "user")
        n_items = self.train_matrix.shape[1]
        added, removed = (set(check_ids(ids, n_items, "item").tolist()) for ids in (add, remove))
        start, stop = self.train_matrix.indptr[user : user + 2]
        history = set(self.train_matrix.indices[start:stop].tolist())
        if added & history or removed - history:
            raise DataError(
                expected="items to add that are not in the history, and items to remove that are",
                found=f"add {sorted(added)}, remove {sorted(removed)}",
                remedy="leave these items out",
            )
        row = np.array(sorted((history | added) - removed), dtype=self.train_matrix.indices.dtype)
        parts = self.train_matrix.indices[:start], row, self.train_matrix.indices[stop:]
        indices, indptr = np.concatenate(parts), self.train_matrix.indptr.copy()
        indptr[user + 1 :] += len(row) - (stop - start)
        ones = np.ones(len(indices), dtype=self.train_matrix.dtype)
        changed = sp.csr_array((ones, indices, indptr), shape=self.train_matrix.shape)
        return replace(self, train_matrix=changed)

    def without(self, modalities: Collection[str]) -> LinearModel:
        """The model without the parts of its score that come from some modalities.

        Raises:
            ConfigError: an unknown modality, or none left.
        """
        for name in modalities:
            if name not in self.ego:
                raise unknown_name("modality", name, self.ego)
        left = {name: x for name, x in self.ego.items() if name not in modalities}
        if not left:
            raise ConfigError(
                expected="at least one modality that stays",
                found="all left out",
                remedy="leave out fewer",
            )
        return replace(self, ego=left)


def normalized(train_matrix: TrainMatrix) -> sp.csr_array:
    """B = D_users^-1/2 R D_items^-1/2, (n_users, n_items) float64; a node of degree 0 has a zero row."""
    binary = sp.csr_array(train_matrix)
    users = np.diff(binary.indptr)
    items = np.bincount(binary.indices, minlength=binary.shape[1])
    values = 1 / np.sqrt(np.repeat(users, users) * items[binary.indices])
    return sp.csr_array((values, binary.indices, binary.indptr), shape=binary.shape)


def linear_model(
    train_matrix: TrainMatrix,
    layers: Mapping[str, Sequence[NDArray[np.floating]]],
    user_emb: NDArray[np.floating],
    weights: Sequence[float],
    item_graph: sp.csr_array | None = None,
) -> LinearModel:
    """The model of a run, from the arrays that a run keeps.

    A run keeps no s: it is read off the users' embeddings, which are s z block by block.

    Args:
        layers: modality -> x^0 .. x^L, each (N, d_m); the blocks of the embeddings in this order.
        user_emb: (n_users, sum of d_m). weights: w_0 .. w_L.

    Raises:
        DataError: shapes that do not fit.
    """
    n_users = train_matrix.shape[0]
    shares = {
        name: user_shares([x[:n_users] for x in layers[name]], user_emb[:, columns], weights)
        for name, columns in blocks(layers, user_emb.shape[1]).items()
    }
    ego = {name: np.asarray(states[0]) for name, states in layers.items()}
    return LinearModel(sp.csr_array(train_matrix), ego, tuple(weights), shares, item_graph)


def reproduce(
    train_matrix: TrainMatrix,
    layers: Mapping[str, Sequence[NDArray[np.floating]]],
    user_emb: NDArray[np.floating],
    item_emb: NDArray[np.floating],
    weights: Sequence[float],
    item_graph: sp.csr_array | None = None,
) -> tuple[LinearModel, float]:
    """The linear model that comes nearest to the embeddings of a run, and how far off it is.

    Where there is an item graph, S is tried on z and on x^0, because a run does not say which one it mixes.

    Returns:
        The model, and the largest difference of an entry of its embeddings from those of the run, as a share
        of the largest entry: at most :data:`SAME` where the run is this model.
    """
    plain = linear_model(train_matrix, layers, user_emb, weights, item_graph)
    tried = [plain] if item_graph is None else [plain, replace(plain, graph_of_ego=True)]
    return min(((model, _off(model, user_emb, item_emb)) for model in tried), key=lambda of: of[1])


def _off(
    model: LinearModel, user_emb: NDArray[np.floating], item_emb: NDArray[np.floating]
) -> float:
    largest = 0.0
    for found, wanted in zip(model.embeddings, (user_emb, item_emb), strict=True):
        if found.shape != wanted.shape:
            return float("inf")  # The run has columns that belong to no modality, such as a bias.
        scale = float(np.abs(wanted).max(initial=0.0))
        largest = max(largest, float(np.abs(found - wanted).max(initial=0.0)) / (scale or 1.0))
    return largest


def user_shares(
    states: Sequence[NDArray[np.floating]], block: NDArray[np.floating], weights: Sequence[float]
) -> Array:
    """s with block = s z, by least squares of every row, (n,); 1 where z is zero and s cannot be known.

    Args:
        states: x^0 .. x^L of n users, (n, d) each. block: their columns of the embedding, (n, d).
    """
    z = weighted_sum(states, weights)
    squares = np.einsum("ij,ij->i", z, z)
    products = np.einsum("ij,ij->i", z, block, dtype=np.float64)
    shares: Array = np.ones(len(z))
    np.divide(products, squares, out=shares, where=squares > 0)
    return shares


def weighted_sum(states: Sequence[NDArray[np.floating]], weights: Sequence[float]) -> Array:
    """sum over l of w_l x^l, (n, d) float64.

    Raises:
        DataError: not one weight a layer.
    """
    if len(states) != len(weights):
        raise DataError(
            expected=f"a readout weight for each of {len(states)} layers",
            found=str(len(weights)),
            remedy="pass w_0 .. w_L",
        )
    total = np.zeros(states[0].shape)
    for weight, x in zip(weights, states, strict=True):
        if weight:
            total += weight * np.asarray(x, dtype=np.float64)
    return total


def blocks(layers: Mapping[str, Sequence[NDArray[np.floating]]], width: int) -> dict[str, slice]:
    """Columns of the embeddings that belong to each modality, in order; more columns may follow.

    Raises:
        DataError: the embeddings are narrower than the modalities together.
    """
    found, first = {}, 0
    for name, states in layers.items():
        found[name] = slice(first, first + states[0].shape[1])
        first += states[0].shape[1]
    if first > width:
        raise DataError(
            expected=f"embeddings of at least {first} columns, those of {', '.join(layers)}",
            found=f"{width} columns",
            remedy="attribution is for models whose embeddings hold a block for every modality",
        )
    return found
