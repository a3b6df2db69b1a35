"""BPR and the L2 penalty by literals."""

from __future__ import annotations

import math

import pytest
import torch

from rednd_core.losses.bpr import bpr_loss
from rednd_core.losses.regularization import batch_l2


def test_bpr_literal() -> None:
    """Differences 0 and ln 3: -ln(1/2) and -ln(3/4)."""
    loss = bpr_loss(torch.tensor([1.0, math.log(3)]), torch.tensor([1.0, 0.0]))
    assert float(loss) == pytest.approx((math.log(2) + math.log(4 / 3)) / 2)


def test_bpr_gradient_is_minus_sigmoid() -> None:
    pos = torch.tensor([0.5, -2.0, 4.0], dtype=torch.float64, requires_grad=True)
    neg = torch.tensor([0.1, 1.0, 4.0], dtype=torch.float64, requires_grad=True)
    bpr_loss(pos, neg).backward()
    expected = torch.sigmoid(neg - pos).detach() / 3
    torch.testing.assert_close(pos.grad, -expected)
    torch.testing.assert_close(neg.grad, expected)


@pytest.mark.parametrize("size", [1e2, 1e4, 1e30])
def test_bpr_is_finite_at_extreme_scores(size: float) -> None:
    pos = torch.tensor([size, -size], requires_grad=True)
    loss = bpr_loss(pos, -pos.detach())
    loss.backward()
    assert loss.item() == pytest.approx(size)  # (0 + 2 size) / 2: no epsilon cuts it off
    torch.testing.assert_close(pos.grad, torch.tensor([0.0, -0.5]))


def test_batch_l2_literal() -> None:
    """1 / (2 * 2) * (1 + 4 + 9 + 16 + 25)"""
    first, second = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[5.0, 0.0], [0.0, 0.0]])
    assert float(batch_l2(first, second)) == pytest.approx(55 / 4)
