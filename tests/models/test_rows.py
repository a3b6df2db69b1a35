"""Rows of tables: values and gradients against what autograd makes of the plain formulas."""

import pytest
import torch
import torch.nn.functional as F

from rednd_core.models.rows import _padded, distinct, gather, read_out, unit_rows

torch.manual_seed(0)


def test_gather_sums_the_gradients_of_repeated_rows() -> None:
    table = torch.randn(4, 2, dtype=torch.float64, requires_grad=True)
    rows = gather(table, torch.tensor([2, 0, 2]))
    torch.testing.assert_close(rows, table[[2, 0, 2]])
    rows.sum().backward()
    assert table.grad.tolist() == [[1, 1], [0, 0], [2, 2], [0, 0]]


@pytest.mark.parametrize("ids", [[4, 1, 4, 0, 1], [3], [2, 2, 2], [0, 1, 2]])
def test_padded_ids_are_the_distinct_ones_first(ids: list[int]) -> None:
    rows = torch.tensor(ids)
    found, wanted = _padded(rows), distinct(rows)
    n = len(wanted.ids)
    assert wanted.is_real is None
    assert found.ids[:n].tolist() == wanted.ids.tolist() == sorted(set(ids))
    assert found.is_real.tolist() == [True] * n + [False] * (len(ids) - n)
    assert found.ids[found.of_row].tolist() == wanted.ids[wanted.of_row].tolist() == ids
    assert set(found.ids[n:].tolist()) <= set(ids)


def test_unit_rows_and_their_gradients() -> None:
    raw = torch.randn(7, 2, 5, dtype=torch.float64, requires_grad=True)
    weight, other = torch.randn(7, 2, 5, dtype=torch.float64), torch.randn(7, 2, 1).double()
    unit, lengths = unit_rows(raw)
    torch.testing.assert_close(unit, F.normalize(raw, dim=2))
    torch.testing.assert_close(lengths, raw.norm(dim=2, keepdim=True))
    assert torch.autograd.gradcheck(unit_rows, raw)
    (found,) = torch.autograd.grad((unit * weight).sum() + (lengths * other).sum(), raw)
    plain = (F.normalize(raw, dim=2) * weight).sum() + (raw.norm(dim=2, keepdim=True) * other).sum()
    torch.testing.assert_close(found, torch.autograd.grad(plain, raw)[0])


def test_a_row_of_zeros_stays_one() -> None:
    unit, lengths = unit_rows(torch.zeros(1, 3))
    assert unit.tolist() == [[0, 0, 0]]
    assert lengths.item() == 0


def test_read_out_and_its_gradients() -> None:
    n_users, n, nodes = 4, 9, torch.tensor([3, 0, 5, 8])
    tables = [torch.randn(n, 3, dtype=torch.float64, requires_grad=True) for _ in range(2)]
    ego, neighbours = tables
    expected = (ego[nodes], neighbours[nodes], (ego + neighbours)[n_users:])
    found = read_out(ego, neighbours, nodes, n_users)
    weights = [torch.randn_like(rows) for rows in expected]
    for rows, plain in zip(found, expected, strict=True):
        torch.testing.assert_close(rows, plain)
    both = [
        torch.autograd.grad(sum((w * r).sum() for w, r in zip(weights, rows, strict=True)), tables)
        for rows in (found, expected)
    ]
    for mine, plain in zip(*both, strict=True):
        torch.testing.assert_close(mine, plain)
