"""The DGL engine: message passing copy_u -> sum between two row scalings.

DGL is imported here and nowhere else. Weighting edges (u_mul_e -> sum) gives the same result, but took
four times as long on two CPU cores (19,445 x 7,050 graph, 128 columns: 33 ms against 8 ms).
"""

from __future__ import annotations

import os
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rednd_core.graph.normalize import SparseMatrix
from rednd_core.graph.propagator import PowerSum
from rednd_core.graph.weighted import EdgePattern


@cache
def _dgl() -> ModuleType:
    # Without the variable, DGL also chooses torch, but prints a message and writes into the home folder.
    os.environ.setdefault("DGLBACKEND", "pytorch")
    import dgl

    return dgl  # type: ignore[no-any-return]


@cache
def dgl_has_cuda() -> bool:
    """Whether the installed DGL was built for CUDA (PyPI's is not)."""
    dgl = _dgl()
    try:
        dgl.graph(([0], [0])).to("cuda")
    except (dgl.DGLError, RuntimeError, AssertionError):
        return False
    return True


def power_sum(matrix: SparseMatrix, device: torch.device) -> PowerSum:
    """(x, n) -> A x + ... + A^n x. Row i of A gathers from its columns j: messages flow along j -> i.

    With A = R B C, where B is binary and R, C are diagonal, the scalings of two neighbouring products
    become one: C (x + A y) = C x + (C R) B C y is one pass over the table.
    """
    dgl = _dgl()
    in_edges = (
        torch.from_numpy(matrix.indptr),
        torch.from_numpy(matrix.indices),
        torch.tensor([], dtype=torch.int32),
    )
    graph = dgl.graph(("csc", in_edges), num_nodes=matrix.n, idtype=torch.int32).to(device)
    scales = np.stack(
        [matrix.row_scale, matrix.col_scale, matrix.row_scale * matrix.col_scale], axis=0
    )
    exact = torch.from_numpy(scales).to(device)[:, :, None]
    by_dtype: dict[torch.dtype, Tensor] = {}

    def product(x: Tensor, n: int) -> Tensor:
        if x.dtype not in by_dtype:
            by_dtype[x.dtype] = exact.to(x.dtype)
        rows, cols, both = by_dtype[x.dtype]
        scaled = x * cols
        total: Tensor = dgl.ops.copy_u_sum(graph, scaled)
        for _ in range(n - 1):
            torch.addcmul(scaled, total, both, out=total)
            total = dgl.ops.copy_u_sum(graph, total)
        return total.mul_(rows)

    return product


class DglKernels:
    """Products with the edges of one pattern: messages u_mul_e -> sum, and dots of both ends."""

    def __init__(self, pattern: EdgePattern, device: torch.device) -> None:
        transposed, order = pattern.transpose()
        self._order = torch.from_numpy(order).to(device)
        self._graph, self._flipped = (_block(one).to(device) for one in (pattern, transposed))

    def product(self, weights: Tensor, x: Tensor) -> Tensor:
        return _dgl().ops.gspmm(self._graph, "mul", "sum", x, weights[:, None])  # type: ignore[no-any-return]

    def transposed(self, weights: Tensor, y: Tensor) -> Tensor:
        own = weights.index_select(0, self._order)[:, None]
        return _dgl().ops.gspmm(self._flipped, "mul", "sum", y, own)  # type: ignore[no-any-return]

    def dots(self, y: Tensor, x: Tensor) -> Tensor:
        found: Tensor = _dgl().ops.gsddmm(self._graph, "dot", x, y, "u", "v")
        return found.squeeze(1)


def _block(pattern: EdgePattern) -> Any:
    # Edges are numbered explicitly: DGL 1.1 refuses an unsorted row of width 1 without numbers.
    edges = (pattern.indptr, pattern.indices, np.arange(pattern.n_edges, dtype=np.int32))
    return _dgl().create_block(
        ("csc", tuple(torch.from_numpy(one) for one in edges)),
        num_src_nodes=pattern.n_cols,
        num_dst_nodes=pattern.n_rows,
        idtype=torch.int32,
    )
