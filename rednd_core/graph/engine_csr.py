"""The torch CSR engine: serves CUDA, and the CPU where DGL cannot be installed."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor

from rednd_core.graph.engine import PowerSum
from rednd_core.graph.normalize import SparseMatrix


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
            with warnings.catch_warnings():  # torch announces that its CSR support is in beta
                warnings.simplefilter("ignore", UserWarning)
                by_dtype[x.dtype] = torch.sparse_csr_tensor(
                    indptr, indices, values.to(x.dtype), size=(matrix.n, matrix.n)
                )
        adjacency = by_dtype[x.dtype]
        total = adjacency @ x
        for _ in range(n - 1):
            total = adjacency @ total.add_(x)
        return total

    return product
