"""L2 penalties on embeddings."""

from __future__ import annotations

from torch import Tensor


def batch_l2(*embeddings: Tensor) -> Tensor:
    """Half the squared norm of the given rows, divided by the batch size: 1/(2B) sum |e|^2.

    The penalty of LightGCN (arXiv 2002.02126) on the layer-0 rows of a batch.

    Args:
        embeddings: each (batch, d).

    Returns:
        scalar.
    """
    total = sum((rows.square().sum() for rows in embeddings), start=embeddings[0].new_zeros(()))
    return total / (2 * len(embeddings[0]))
