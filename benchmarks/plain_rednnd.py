"""RedNⁿD as one would first write it from the equations, for comparison: torch and nothing of this project.

One modality after the other, one sparse product a layer, and an alignment through the matrix of all
pairs. Nothing is fused or shared, so that it shows what the obvious code costs and what it should give.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

CHUNK = 1024  # anchors whose scores are held at a time


def normalized_adjacency(users: Tensor, items: Tensor, n_users: int, n_items: int) -> Tensor:
    """D^-1/2 [[0, R], [R^T, 0]] D^-1/2 as a sparse COO tensor, (N, N)."""
    n = n_users + n_items
    rows = torch.cat([users, items + n_users])
    columns = torch.cat([items + n_users, users])
    degrees = torch.bincount(rows, minlength=n).float()
    values = (degrees[rows] * degrees[columns]).rsqrt()
    return torch.sparse_coo_tensor(
        torch.stack([rows, columns]), values, (n, n), check_invariants=False
    ).coalesce()


def knn_adjacency(features: Tensor, k: int) -> Tensor:
    """Directed cosine kNN graph, the node itself included, every row divided by k, (n_items, n_items)."""
    unit = F.normalize(features, dim=1)
    nearest = (unit @ unit.T).topk(k, dim=1).indices
    n = len(features)
    rows = torch.arange(n, device=features.device).repeat_interleave(k)
    values = torch.full((n * k,), 1 / k, device=features.device)
    return torch.sparse_coo_tensor(
        torch.stack([rows, nearest.flatten()]), values, (n, n), check_invariants=False
    )


class PlainRedNnD(nn.Module):
    """The losses of one batch, from the paper's equations.

    Args:
        adjacency: (N, N) sparse; item_graph: (n_items, n_items) sparse.
        features: modality -> (n_items, dim).
    """

    def __init__(
        self,
        adjacency: Tensor,
        item_graph: Tensor,
        features: Mapping[str, Tensor],
        n_users: int,
        *,
        size: int = 64,
        n_layers: int = 3,
        temperature: float = 0.2,
    ) -> None:
        super().__init__()
        self.adjacency, self.item_graph, self.features = adjacency, item_graph, features
        self.n_users, self.n_layers, self.temperature = n_users, n_layers, temperature
        self.preferences = nn.ParameterDict(
            {m: nn.Parameter(torch.empty(n_users, size)) for m in features}
        )
        self.first = nn.ModuleDict(
            {m: nn.Linear(rows.shape[1], 4 * size) for m, rows in features.items()}
        )
        self.second = nn.ModuleDict({m: nn.Linear(4 * size, size) for m in features})
        self.user_weights = nn.Parameter(torch.empty(n_users, len(features)))

    def losses(
        self, users: Tensor, positives: Tensor, negatives: Tensor, nodes: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """BPR in bits, regularization, alignment over ``nodes`` (all where None) against each other."""
        user_parts, item_parts, alignments, penalty = [], [], [], 0.0
        for column, m in enumerate(self.features):
            projected = self.second[m](F.leaky_relu(self.first[m](self.features[m])))
            layers = [F.normalize(torch.cat([self.preferences[m], projected]), dim=1)]
            for _ in range(self.n_layers):
                layers.append(torch.sparse.mm(self.adjacency, layers[-1]))
            readout = torch.stack(layers).sum(0)
            user_parts.append(self.user_weights[:, [column]] * readout[: self.n_users])
            item_parts.append(readout[self.n_users :])
            near = torch.stack(layers[1:]).mean(0)
            ego = layers[0]
            if nodes is not None:
                ego, near = ego[nodes], near[nodes]
            alignments.append(dense_info_nce(ego, near, self.temperature))
            penalty = penalty + self.preferences[m][users].square().mean()
        user_emb, item_emb = torch.cat(user_parts, dim=1), torch.cat(item_parts, dim=1)
        item_emb = item_emb + torch.sparse.mm(self.item_graph, item_emb)
        difference = (user_emb[users] * (item_emb[positives] - item_emb[negatives])).sum(1)
        bpr = -F.logsigmoid(difference).mean() / math.log(2)
        return bpr, penalty + self.user_weights.square().mean(), torch.stack(alignments).sum()


def dense_info_nce(anchors: Tensor, candidates: Tensor, temperature: float) -> Tensor:
    """mean_i [ logsumexp_j(cos_ij / t) - cos_ii / t ] through the matrix of all pairs."""
    scores = F.normalize(anchors, dim=1) @ F.normalize(candidates, dim=1).T / temperature
    return (scores.logsumexp(dim=1) - scores.diagonal()).mean()


def chunked_info_nce(anchors: Tensor, candidates: Tensor, temperature: float) -> Tensor:
    """The same by blocks of anchors, whose scores are computed again in the backward pass."""
    queries, keys = F.normalize(anchors, dim=1), F.normalize(candidates, dim=1)

    def block(rows: Tensor) -> Tensor:
        return (rows @ keys.T / temperature).logsumexp(dim=1).sum()

    total = -(queries * keys).sum() / temperature
    for rows in queries.split(CHUNK):
        total = total + checkpoint(block, rows, use_reentrant=False)
    return total / len(anchors)
