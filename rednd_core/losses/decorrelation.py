"""How correlated the columns of embeddings are: AFDGCF's loss, Wu et al., SIGIR 2024, arXiv 2403.17416."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

_LEAST = 1e-12


def correlation(rows: Tensor) -> Tensor:
    """c = |the part of K above its diagonal|_F, with K the Pearson correlations of the columns.

    Args:
        rows: (n, d). A constant column is correlated with no other.

    Returns:
        scalar; 0 where no two columns are correlated.
    """
    centred = rows - rows.mean(dim=0)
    units = centred / torch.linalg.vector_norm(centred, dim=0).clamp_min(_LEAST)
    # The root has no gradient at 0.
    squares: Tensor = (units.T @ units).triu(diagonal=1).square().sum().clamp_min(_LEAST)
    return squares.sqrt()


def decorrelation(layers: Sequence[Tensor]) -> Tensor:
    """sum over l of w_l c_l, with w_l = (1 / c_l) / (sum over k of 1 / c_k), which has no gradient.

    The more correlated a layer is, as the deep ones are, the smaller its weight.

    Args:
        layers: x^1 .. x^L of one side, (n, d) each; at least one.

    Returns:
        scalar, the harmonic mean of the c_l.
    """
    found = torch.stack([correlation(rows) for rows in layers])
    weights = 1 / found.detach()
    return (weights / weights.sum() * found).sum()
