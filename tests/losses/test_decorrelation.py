"""AFDGCF's loss against correlations by NumPy, and numbers on paper."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rednd_core.losses.decorrelation import correlation, decorrelation

FIRST = torch.tensor([[1, 2, 0], [2, 1, 1], [3, 3, 0], [4, 2, 1]]).double()
SECOND = torch.tensor([[1, 1, 0], [2, 2, 1], [3, 3, 0], [4, 4, 1]]).double()


def test_numbers_on_paper() -> None:
    """sqrt(.1 + .2 + .5) and sqrt(1 + .2 + .2); the sum with weights is their harmonic mean."""
    a, b = 0.8**0.5, 1.4**0.5
    assert float(correlation(FIRST)) == pytest.approx(a)
    assert float(correlation(SECOND)) == pytest.approx(b)
    assert float(decorrelation([FIRST, SECOND])) == pytest.approx(2 / (1 / a + 1 / b))


def test_correlations_are_those_of_numpy() -> None:
    rows = torch.randn(30, 6, dtype=torch.float64)
    upper = np.triu(np.corrcoef(rows.numpy().T), 1)
    assert float(correlation(rows)) == pytest.approx(np.linalg.norm(upper))
    assert float(correlation(3 * rows - 7)) == pytest.approx(np.linalg.norm(upper))


def test_the_weights_have_no_gradient() -> None:
    """d loss = sum of w_l d c_l with w in proportion to 1 / c_l."""
    layers = [FIRST.clone().requires_grad_(), SECOND.clone().requires_grad_()]
    found = torch.autograd.grad(decorrelation(layers), layers)
    shares = np.array([0.8**-0.5, 1.4**-0.5])
    for rows, gradient, share in zip(layers, found, shares / shares.sum(), strict=True):
        (alone,) = torch.autograd.grad(correlation(rows), rows)
        torch.testing.assert_close(gradient, share * alone)


@pytest.mark.parametrize("rows", [torch.ones(4, 3), torch.eye(4)[:, :1], torch.zeros(1, 2)])
def test_nothing_correlated_is_0_with_a_finite_gradient(rows: torch.Tensor) -> None:
    rows = rows.requires_grad_()
    loss = decorrelation([rows])
    assert float(loss) == pytest.approx(0, abs=2e-6)
    (gradient,) = torch.autograd.grad(loss, rows)
    assert not gradient.any()
