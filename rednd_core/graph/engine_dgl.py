"""The DGL engine: message passing copy_u -> sum between two row scalings.

DGL is imported here and nowhere else. Weighting edges (u_mul_e -> sum) gives the same result, but took
four times as long on two CPU cores (19,445 x 7,050 graph, 128 columns: 33 ms against 8 ms).
"""

from __future__ import annotations

import os
from functools import cache
from types import ModuleType

import torch
from torch import Tensor

from rednd_core.graph.engine import Multiply
from rednd_core.graph.normalize import SparseMatrix


@cache
def _dgl() -> ModuleType:
    # Without the variable DGL chooses torch too, but says so and writes a file into the home folder.
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


def multiply(matrix: SparseMatrix, device: torch.device) -> Multiply:
    """x -> A x. Row i of A gathers from its columns j, i.e. messages flow along edges j -> i."""
    dgl = _dgl()
    in_edges = (
        torch.from_numpy(matrix.indptr),
        torch.from_numpy(matrix.indices),
        torch.tensor([], dtype=torch.int32),
    )
    graph = dgl.graph(("csc", in_edges), num_nodes=matrix.n, idtype=torch.int32).to(device)
    row_scale = torch.from_numpy(matrix.row_scale).to(device)[:, None]
    col_scale = torch.from_numpy(matrix.col_scale).to(device)[:, None]
    by_dtype: dict[torch.dtype, tuple[Tensor, Tensor]] = {}

    def product(x: Tensor) -> Tensor:
        if x.dtype not in by_dtype:
            by_dtype[x.dtype] = row_scale.to(x.dtype), col_scale.to(x.dtype)
        rows, cols = by_dtype[x.dtype]
        result: Tensor = dgl.ops.copy_u_sum(graph, x * cols)
        return result.mul_(rows)

    return product
