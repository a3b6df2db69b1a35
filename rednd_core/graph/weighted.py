"""Products with a sparse matrix whose entries are learned, or drawn anew.

    y_i = sum over the edges e = (i, j) of w_e x_j,    gradients  dx = W^T dy,  dw_e = dy_i . x_j

A graph whose weights are constant has a faster form, :mod:`rednd_core.graph.propagator`. A graph whose
edges are drawn once an epoch can be either: a new matrix of the kept edges
(:func:`rednd_core.graph.sampling.normalized_subset`), or this product with weight 0 on the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import scipy.sparse as sp
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable

from rednd_core.errors import DataError
from rednd_core.graph.normalize import SparseMatrix


@dataclass(frozen=True)
class EdgePattern:
    """Where a sparse (n_rows, n_cols) matrix has entries, row by row (CSR). Edge e is entry e.

    Edges of one row may come in any order. An edge that is there twice counts twice.

    Attributes:
        indptr: (n_rows + 1,) int32; the edges of row i are ``indptr[i]`` to ``indptr[i + 1]``.
        indices: (n_edges,) int32, the column of every edge.
    """

    indptr: NDArray[np.int32]
    indices: NDArray[np.int32]
    n_cols: int

    def __post_init__(self) -> None:
        """Refuse what an engine would read beyond its tables.

        Raises:
            DataError: row ends that do not grow from 0 to the number of edges, or a foreign column.
        """
        if (
            not len(self.indptr)
            or self.indptr[0] != 0
            or self.indptr[-1] != len(self.indices)
            or (np.diff(self.indptr) < 0).any()
        ):
            raise DataError(
                expected=f"row ends that grow from 0 to {len(self.indices)}, the number of edges",
                found="others",
                remedy="pass indptr and indices of one CSR matrix",
            )
        if len(self.indices) and not 0 <= self.indices.min() <= self.indices.max() < self.n_cols:
            raise DataError(
                expected=f"columns between 0 and {self.n_cols - 1}",
                found=f"{self.indices.min()} to {self.indices.max()}",
                remedy="pass the number of columns of the matrix",
            )

    @classmethod
    def of(cls, matrix: SparseMatrix) -> EdgePattern:
        """The pattern of a square matrix; ``matrix.values`` are the weights in its order."""
        return cls(matrix.indptr, matrix.indices, matrix.n)

    @property
    def n_rows(self) -> int:
        return len(self.indptr) - 1

    @property
    def n_edges(self) -> int:
        return len(self.indices)

    @property
    def rows(self) -> NDArray[np.int64]:
        """The row of every edge, (n_edges,)."""
        return np.repeat(np.arange(self.n_rows), np.diff(self.indptr))

    def transpose(self) -> tuple[EdgePattern, NDArray[np.int32]]:
        """The transposed pattern, and for each of its edges the number of the edge here."""
        numbers = np.arange(self.n_edges, dtype=np.int32)
        flipped = sp.csr_array(
            (numbers, self.indices, self.indptr), shape=(self.n_rows, self.n_cols)
        ).tocsc()
        pattern = EdgePattern(
            flipped.indptr.astype(np.int32), flipped.indices.astype(np.int32), self.n_rows
        )
        return pattern, flipped.data


class WeightedKernels(Protocol):
    """What an engine gives for one pattern on one device, without gradients. All are contiguous."""

    def product(self, weights: Tensor, x: Tensor) -> Tensor:
        """W x, (n_edges,) and (n_cols, d) -> (n_rows, d)."""

    def transposed(self, weights: Tensor, y: Tensor) -> Tensor:
        """W^T y, (n_edges,) and (n_rows, d) -> (n_cols, d)."""

    def dots(self, y: Tensor, x: Tensor) -> Tensor:
        """y_i . x_j of every edge (i, j), (n_rows, d) and (n_cols, d) -> (n_edges,)."""


class WeightedProduct:
    """(weights, x) -> W x for a fixed pattern, differentiable in both; float32 and float64.

    Attributes:
        rows, cols: (n_edges,) int64 on the device: edge e reads row ``cols[e]`` of x and adds to row
            ``rows[e]`` of the result. A model computes its weights from them.
    """

    def __init__(
        self, pattern: EdgePattern, kernels: WeightedKernels, device: torch.device
    ) -> None:
        self.rows = torch.from_numpy(pattern.rows).to(device)
        self.cols = torch.from_numpy(pattern.indices.astype(np.int64)).to(device)
        self._n_edges, self._n_cols = pattern.n_edges, pattern.n_cols
        self._kernels = kernels

    def __call__(self, weights: Tensor, x: Tensor) -> Tensor:
        """W x.

        Args:
            weights: (n_edges,), in the order of the pattern.
            x: (n_cols, d), of the same dtype.

        Returns:
            (n_rows, d); zeros where a row has no edge.

        Raises:
            DataError: other shapes, or two dtypes.
        """
        if weights.shape != (self._n_edges,) or x.dim() != 2 or len(x) != self._n_cols:
            raise DataError(
                expected=f"{self._n_edges} weights and a table of {self._n_cols} rows",
                found=f"shapes {tuple(weights.shape)} and {tuple(x.shape)}",
                remedy="pass one weight an edge, in the order of the pattern",
            )
        if weights.dtype != x.dtype:
            raise DataError(
                expected="weights and a table of one dtype",
                found=f"{weights.dtype} and {x.dtype}",
                remedy="convert one of them",
            )
        result: Tensor = _WeightedProduct.apply(weights, x, self._kernels)  # type: ignore[no-untyped-call]
        return result


class _WeightedProduct(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weights: Tensor, x: Tensor, kernels: WeightedKernels) -> Tensor:
        weights, x = weights.contiguous(), x.contiguous()
        ctx.save_for_backward(weights, x)
        ctx.kernels = kernels
        return kernels.product(weights, x)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        weights, x = ctx.saved_tensors
        grad = grad.contiguous()
        needs_weights, needs_x, _ = ctx.needs_input_grad
        return (
            ctx.kernels.dots(grad, x) if needs_weights else None,
            ctx.kernels.transposed(weights, grad) if needs_x else None,
            None,
        )
