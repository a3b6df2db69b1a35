"""RedNⁿD once more, from the paper's equations: dense matrices, one modality at a time, no shortcuts.

Slow and obvious on purpose; shares no code with the library. Parameters come in as plain tensors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass
class Weights:
    """Of one modality: preferences P (n_users, d), the two linear maps, user weights w (n_users,)."""

    preferences: Tensor
    first: tuple[Tensor, Tensor]
    second: tuple[Tensor, Tensor]
    user_weight: Tensor


def adjacency(train: list[tuple[int, int]], n_users: int, n_items: int) -> Tensor:
    """A = D^-1/2 [[0, R], [R^T, 0]] D^-1/2, (N, N)."""
    n = n_users + n_items
    a = torch.zeros(n, n, dtype=torch.float64)
    for user, item in train:
        a[user, n_users + item] = 1
        a[n_users + item, user] = 1
    degree = a.sum(dim=1)
    for i in range(n):
        for j in range(n):
            if a[i, j]:
                a[i, j] = 1 / (degree[i] * degree[j]).sqrt()
    return a


def knn_graph(features: np.ndarray, k: int) -> Tensor:
    """D_row^-1/2 S D_row^-1/2; every row of S has k ones, its own among them."""
    n = len(features)
    s = torch.zeros(n, n, dtype=torch.float64)
    for i in range(n):
        cosine = [
            float(np.dot(features[i], other) / np.linalg.norm(features[i]) / np.linalg.norm(other))
            for other in features.astype(np.float64)
        ]
        for j in sorted(range(n), key=lambda j: -cosine[j])[:k]:
            s[i, j] = 1
    degree = s.sum(dim=1)
    return s / torch.sqrt(degree[:, None] * degree[None, :])


class Reference:
    """What the model must equal.

    Args:
        features: modality -> (n_items, dim); weights: modality -> its parameters, in the same order.
        fusion: modality -> weight of its kNN graph; empty: no item-item graph.
    """

    def __init__(
        self, train, n_users, n_items, features, weights, *, n_layers, n_mm_layers, knn_k, fusion, t
    ) -> None:
        self.n_users, self.n_layers, self.n_mm_layers, self.t = n_users, n_layers, n_mm_layers, t
        self.features = {m: torch.from_numpy(f).double() for m, f in features.items()}
        self.weights: dict[str, Weights] = weights
        self.a = adjacency(train, n_users, n_items)
        self.s = torch.zeros(n_items, n_items, dtype=torch.float64)
        for m, alpha in fusion.items():
            self.s = self.s + alpha * knn_graph(features[m], knn_k)

    def layers(self, m: str) -> list[Tensor]:
        w = self.weights[m]
        hidden = self.features[m] @ w.first[0].T + w.first[1]
        hidden = torch.where(hidden > 0, hidden, 0.01 * hidden)
        items = hidden @ w.second[0].T + w.second[1]
        ego = torch.cat([w.preferences, items])
        layers = [ego / ego.norm(dim=1, keepdim=True)]
        for _ in range(self.n_layers):
            layers.append(self.a @ layers[-1])
        return layers

    def embeddings(self) -> tuple[Tensor, Tensor]:
        users, items = [], []
        for m, w in self.weights.items():
            z = sum(self.layers(m))
            users.append(w.user_weight[:, None] * z[: self.n_users])
            items.append(z[self.n_users :])
        c = torch.cat(items, dim=1)
        spread = torch.linalg.matrix_power(self.s, self.n_mm_layers) @ c
        return torch.cat(users, dim=1), c + (spread if self.n_mm_layers else 0)

    def bpr(self, users, positives, negatives) -> Tensor:
        """Mean of -log2 sigmoid(s_pos - s_neg)."""
        user_emb, item_emb = self.embeddings()
        scores = user_emb @ item_emb.T
        terms = [
            -torch.log2(torch.sigmoid(scores[u, i] - scores[u, j]))
            for u, i, j in zip(users, positives, negatives, strict=True)
        ]
        return torch.stack(terms).mean()

    def regularization(self, users: list[int]) -> Tensor:
        preferences = sum(w.preferences[users].square().mean() for w in self.weights.values())
        table = torch.stack([w.user_weight for w in self.weights.values()])
        return preferences + table.square().mean()

    def alignment(self, scope: str, users: list[int], positives: list[int]) -> Tensor:
        everyone = list(range(len(self.a)))
        in_batch = sorted(set(users)) + sorted({self.n_users + i for i in positives})
        anchors = everyone if scope == "full" else in_batch
        candidates = in_batch if scope == "batch" else everyone
        total = torch.zeros((), dtype=torch.float64)
        for m in self.weights:
            layers = self.layers(m)
            x, y = layers[0], sum(layers[1:]) / self.n_layers
            terms = []
            for n in anchors:
                logits = {j: torch.dot(x[n], y[j]) / x[n].norm() / _norm(y[j]) for j in candidates}
                everything = torch.stack(list(logits.values())) / self.t
                terms.append(torch.logsumexp(everything, dim=0) - logits[n] / self.t)
            total = total + torch.stack(terms).mean()
        return total


def _norm(row: Tensor) -> Tensor:
    """A node without neighbours has y = 0, and cosine 0 with everything."""
    return row.norm() if bool(row.any()) else torch.ones((), dtype=torch.float64)
