"""Bayesian personalised ranking, Rendle et al., UAI 2009 (arXiv 1205.2618)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def bpr_loss(pos_scores: Tensor, neg_scores: Tensor) -> Tensor:
    """Mean of -ln sigmoid(s_pos - s_neg); softplus keeps it finite for any score.

    Args:
        pos_scores, neg_scores: (batch,).

    Returns:
        scalar, in nats.
    """
    return F.softplus(neg_scores - pos_scores).mean()
