"""How unlike rows are in direction."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def cosine_distance(rows: Tensor, others: Tensor) -> Tensor:
    """Mean over the rows of 1 - cos(row, other).

    Args:
        rows, others: (batch, d). A row of zeros has the cosine 0 with every other.

    Returns:
        scalar, 0 to 2.
    """
    return 1 - F.cosine_similarity(rows, others, dim=1).mean()
