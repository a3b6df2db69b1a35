"""An item graph that is partly learned, as in LATTICE (arXiv 2104.09036).

S(f)_ij = c_ij / sqrt(c_i c_j),   c_i = sum_j c_ij,
          c_ij = max(0, cos(f_i, f_j)) for the k nearest items j of i, itself among them, else 0
S = sum over m of a_m (raw_share * S(f^m) + (1 - raw_share) * S(W_m f^m + b_m)),   a = softmax
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.linalg import vecdot

from rednd_core.graph.semantic import cosine_knn
from rednd_core.graph.weighted import EdgePattern, WeightedProduct
from rednd_core.losses.unit_rows import unit_rows
from rednd_core.modeling.inputs import ModelInputs
from rednd_core.modeling.randomness import Epoch
from rednd_core.modeling.rows import gather


class LatentItemGraph(nn.Module):
    """(x, n) -> S^n x, with W, b and a trained.

    The nearest items by W f + b are searched when an epoch begins; their cosines follow every step.
    """

    neighbours: Tensor
    searched_in: Tensor

    def __init__(
        self,
        inputs: ModelInputs,
        modalities: tuple[str, ...],
        d: int,
        knn_k: int,
        raw_share: float,
    ) -> None:
        super().__init__()
        self.inputs, self.modalities, self.knn_k = inputs, modalities, knn_k
        self.raw_share = raw_share
        self.features = [inputs.features[m] for m in modalities]
        self.projections = nn.ModuleList(nn.Linear(rows.shape[1], d) for rows in self.features)
        self.modality_logits = nn.Parameter(torch.zeros(len(modalities)))  # a = softmax of these
        # Checkpoints hold the neighbours, so that a stopped epoch goes on with its own.
        shape = len(modalities), inputs.n_items, min(knn_k, inputs.n_items)
        self.register_buffer("neighbours", torch.zeros(shape, dtype=torch.int64))
        self.register_buffer("searched_in", torch.zeros((), dtype=torch.int64))  # 0: not yet
        self._learned: tuple[list[WeightedProduct], Tensor] | None = None

    def begin_epoch(self, epoch: Epoch) -> None:
        """Search the neighbours of an epoch, unless a checkpoint had them."""
        if int(self.searched_in) != epoch.number:
            self.neighbours.copy_(self._search())
            self.searched_in.fill_(epoch.number)
        self._bind()

    def projected(self) -> list[Tensor]:
        """W f + b of every modality, (n_items, d) each."""
        return [p(rows) for p, rows in zip(self.projections, self.features, strict=True)]

    def forward(self, x: Tensor, n: int) -> Tensor:
        """S^n x, (n_items, d)."""
        products, near = self._learned or self._bind()
        tables, share = self.projected(), self.raw_share
        weights = [edge_weights(f, nodes).flatten() for f, nodes in zip(tables, near, strict=True)]
        graphs = list(zip(self.raw_graphs, products, weights, strict=True))
        for _ in range(n):
            mixed = [share * raw(x) + (1 - share) * learned(w, x) for raw, learned, w in graphs]
            x = torch.tensordot(self.modality_logits.softmax(0), torch.stack(mixed), dims=1)
        return x

    def _search(self) -> Tensor:
        """The nearest items of every item by W f + b, (M, n_items, k)."""
        with torch.no_grad():
            tables = [rows.float().cpu().numpy() for rows in self.projected()]
        found = [cosine_knn(rows, self.knn_k).rows for rows in tables]
        return torch.from_numpy(np.stack(found)).to(self.neighbours.device)

    def _bind(self) -> tuple[list[WeightedProduct], Tensor]:
        """Products with the graphs of W f + b, and the neighbours that these are made of."""
        found = self.neighbours if self.searched_in else self._search()
        self._learned = [self.inputs.weighted(nearest_pattern(rows)) for rows in found], found
        return self._learned

    @cached_property
    def raw_graphs(self) -> list[Callable[[Tensor], Tensor]]:
        """x -> S(f) x of every modality."""
        graphs: list[Callable[[Tensor], Tensor]] = []
        for name, rows in zip(self.modalities, self.features, strict=True):
            near = self.inputs.nearest_items(name, self.knn_k)
            weights = edge_weights(rows, near).flatten()
            graphs.append(partial(self.inputs.weighted(nearest_pattern(near)), weights))
        return graphs

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        super()._load_from_state_dict(*args, **kwargs)
        self._learned = None  # The products were made of the neighbours before the loading.


def edge_weights(features: Tensor, near: Tensor) -> Tensor:
    """c_ij / sqrt(c_i c_j) of every row i and its nearest rows j.

    c_ij = max(0, cos(f_i, f_j)) and c_i is the sum of c_ij over the nearest rows of i.
    A row of zeros has the weight 0 with every row.

    Args:
        features: f, (n, D). near: (n, k), the nearest rows of every row.

    Returns:
        (n, k), differentiable in the features.
    """
    units = unit_rows(features)
    cosines = torch.stack([vecdot(units, gather(units, column)) for column in near.T], dim=1)
    kept = cosines.relu()
    scale = kept.sum(1, keepdim=True).clamp_min(1e-12).rsqrt()
    return kept * scale * gather(scale, near.flatten()).view_as(kept)


def nearest_pattern(near: Tensor) -> EdgePattern:
    """The (n, n) pattern whose row i has the columns near[i]; near (n, k)."""
    n, k = near.shape
    indptr = np.arange(0, n * k + 1, k, dtype=np.int32)
    return EdgePattern(indptr, near.flatten().cpu().numpy().astype(np.int32), n)
