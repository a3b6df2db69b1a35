"""The torch CSR engine: serves CUDA, and the CPU where DGL cannot be installed."""

from __future__ import annotations

import warnings
from functools import cache

import torch
from torch import Tensor

from rednd_core.graph.normalize import SparseMatrix
from rednd_core.graph.propagator import PowerSum
from rednd_core.graph.weighted import EdgePattern


def power_sum(matrix: SparseMatrix, device: torch.device) -> PowerSum:
    """(x, n) -> A x + ... + A^n x by torch's sparse-dense product.

    One copy of the values for each dtype met.
    """
    indptr = torch.from_numpy(matrix.indptr).to(device)
    indices = torch.from_numpy(matrix.indices).to(device)
    values = torch.from_numpy(matrix.values).to(device)
    by_dtype: dict[torch.dtype, Tensor] = {}

    def product(x: Tensor, n: int) -> Tensor:
        if x.dtype not in by_dtype:
            by_dtype[x.dtype] = _csr(indptr, indices, values.to(x.dtype), (matrix.n, matrix.n))
        adjacency = by_dtype[x.dtype]
        total = adjacency @ x
        for _ in range(n - 1):
            total = adjacency @ total.add_(x)
        return total

    return product


class CsrKernels:
    """Products with the edges of one pattern, by torch's sparse kernels."""

    def __init__(self, pattern: EdgePattern, device: torch.device) -> None:
        transposed, order = pattern.transpose()
        self._shape = pattern.n_rows, pattern.n_cols
        self._order = torch.from_numpy(order).to(device)
        self._indptr, self._indices, self._indptr_t, self._indices_t = (
            torch.from_numpy(ids).to(device)
            for one in (pattern, transposed)
            for ids in (one.indptr, one.indices)
        )

    def product(self, weights: Tensor, x: Tensor) -> Tensor:
        found: Tensor = _csr(self._indptr, self._indices, weights, self._shape) @ x
        return found

    def transposed(self, weights: Tensor, y: Tensor) -> Tensor:
        own = weights.index_select(0, self._order)
        found: Tensor = _csr(self._indptr_t, self._indices_t, own, self._shape[::-1]) @ y
        return found

    def dots(self, y: Tensor, x: Tensor) -> Tensor:
        pattern = _csr(self._indptr, self._indices, y.new_zeros(len(self._indices)), self._shape)
        found: Tensor = torch.sparse.sampled_addmm(pattern, y, x.T, beta=0.0).values()
        return found


def _csr(indptr: Tensor, indices: Tensor, values: Tensor, shape: tuple[int, ...]) -> Tensor:
    _hide_the_beta_warning()
    return torch.sparse_csr_tensor(indptr, indices, values, size=shape)


@cache
def _hide_the_beta_warning() -> None:
    """Hide the one warning of a process in which torch announces that its CSR support is in beta."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        torch.sparse_csr_tensor([0, 0], [], [], size=(1, 1))
