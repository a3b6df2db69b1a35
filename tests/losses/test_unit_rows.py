"""Unit rows against torch's own normalisation and against finite differences."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from rednd_core.losses.unit_rows import unit_rows


def rows(*shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.randn(*shape, generator=generator, dtype=torch.float64).requires_grad_()


@pytest.mark.parametrize("shape", [(5,), (4, 3), (6, 2, 7)])
def test_values_and_gradients_are_those_of_torch(shape: tuple[int, ...]) -> None:
    x, weights = rows(*shape), rows(*shape).detach() + 1
    ours, theirs = unit_rows(x), F.normalize(x, dim=-1)
    torch.testing.assert_close(ours, theirs)
    (mine,) = torch.autograd.grad((weights * ours).sum(), x)
    (expected,) = torch.autograd.grad((weights * theirs).sum(), x)
    torch.testing.assert_close(mine, expected)


def test_finite_differences() -> None:
    assert torch.autograd.gradcheck(unit_rows, rows(4, 5))


def test_a_row_of_zeros_stays_one() -> None:
    x = torch.zeros(2, 3, requires_grad=True)
    units = unit_rows(x)
    units.sum().backward()
    assert units.count_nonzero() == 0
    assert torch.isfinite(x.grad).all()
