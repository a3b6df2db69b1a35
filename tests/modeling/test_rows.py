"""Rows of tables: values and gradients against plain indexing."""

import pytest
import torch

from rednd_core.data.sampling import BPRBatch
from rednd_core.modeling.rows import _padded, batch_rows, distinct, gather


def test_gather_sums_the_gradients_of_repeated_rows() -> None:
    table = torch.randn(4, 2, dtype=torch.float64, requires_grad=True)
    rows = gather(table, torch.tensor([2, 0, 2]))
    torch.testing.assert_close(rows, table[[2, 0, 2]])
    rows.sum().backward()
    assert table.grad.tolist() == [[1, 1], [0, 0], [2, 2], [0, 0]]


def test_rows_of_a_batch() -> None:
    users, items = torch.arange(8.0).view(4, 2), 10 * torch.arange(6.0).view(3, 2)
    batch = BPRBatch(torch.tensor([3, 0]), torch.tensor([1, 1]), torch.tensor([2, 0]))
    found = batch_rows(batch, users, items)
    assert [rows.tolist() for rows in found] == [
        [[6, 7], [0, 1]],
        [[20, 30], [20, 30]],
        [[40, 50], [0, 10]],
    ]


@pytest.mark.parametrize("ids", [[4, 1, 4, 0, 1], [3], [2, 2, 2], [0, 1, 2]])
def test_padded_ids_are_the_distinct_ones_first(ids: list[int]) -> None:
    rows = torch.tensor(ids)
    found, wanted = _padded(rows), distinct(rows)
    n = len(wanted.ids)
    assert wanted.is_real is None
    assert found.ids[:n].tolist() == wanted.ids.tolist() == sorted(set(ids))
    assert found.is_real.tolist() == [True] * n + [False] * (len(ids) - n)
    assert set(found.ids[n:].tolist()) <= set(ids)
