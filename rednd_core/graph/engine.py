"""Engines: how a normalised graph is multiplied with embeddings, x -> A x, differentiably.

Two engines stand behind one :class:`Propagator`: DGL (default on the CPU; CUDA where the installed DGL
was built for it) and torch CSR (CUDA otherwise, and wherever DGL cannot be installed). Both pass the
same tests against dense A @ X.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from rednd_core.config import Engine
from rednd_core.errors import EngineError, unknown_name
from rednd_core.graph.normalize import SparseMatrix

Multiply = Callable[[Tensor], Tensor]


class Propagator(Protocol):
    """An engine bound to one normalised graph, on one device: (n, d) -> (n, d)."""

    def __call__(self, x: Tensor) -> Tensor: ...


class SparsePropagator:
    """y = A x with gradient A^T g, from two plain multiplications.

    The matrix is constant, so autograd needs no more than the transposed product; for a symmetric
    matrix that is the forward's own, and nothing is stored twice.
    """

    def __init__(self, forward: Multiply, backward: Multiply) -> None:
        self._forward, self._backward = forward, backward

    def __call__(self, x: Tensor) -> Tensor:
        result: Tensor = _Product.apply(x, self._forward, self._backward)  # type: ignore[no-untyped-call]
        return result


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, forward: Multiply, backward: Multiply) -> Tensor:
        ctx.backward_product = backward
        return forward(x.contiguous())

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        return ctx.backward_product(grad.contiguous()), None, None


def resolve_device(device: str) -> torch.device:
    """Turn auto/cpu/cuda into a device that this machine has.

    Raises:
        EngineError: CUDA was asked for and there is none.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device not in ("cpu", "cuda"):
        raise unknown_name("device", device, ("auto", "cpu", "cuda"))
    if device == "cuda" and not torch.cuda.is_available():
        raise EngineError(
            expected="a CUDA device",
            found="none that torch can use",
            remedy="use device=cpu or auto",
        )
    return torch.device(device)


def resolve_engine(engine: Engine, device: torch.device) -> Engine:
    """Choose dgl or csr for ``auto``; refuse an engine that cannot serve the device."""
    if engine not in ("auto", "dgl", "csr"):
        raise unknown_name("engine", engine, ("auto", "dgl", "csr"))
    if engine == "csr":
        return "csr"
    usable = importlib.util.find_spec("dgl") is not None
    if usable and device.type == "cuda":
        from rednd_core.graph.engine_dgl import dgl_has_cuda

        usable = dgl_has_cuda()
    if engine == "dgl" and not usable:
        raise EngineError(
            expected=f"an installed DGL that serves {device.type}",
            found="none",
            remedy="use engine=csr, or install a DGL build for this device (Python 3.11 or older)",
        )
    return "dgl" if usable else "csr"


def propagator(
    matrix: SparseMatrix, engine: Engine = "auto", device: str | torch.device = "cpu"
) -> Propagator:
    """Bind a matrix to an engine on a device.

    Args:
        matrix: (n, n).
        engine: ``auto``, ``dgl`` or ``csr``.
        device: ``auto``, ``cpu``, ``cuda``, or a torch device.

    Returns:
        A differentiable callable (n, d) -> (n, d); float32 and float64.
    """
    where = device if isinstance(device, torch.device) else resolve_device(device)
    chosen = resolve_engine(engine, where)
    if chosen == "dgl":
        from rednd_core.graph.engine_dgl import multiply
    else:
        from rednd_core.graph.engine_csr import multiply
    forward = multiply(matrix, where)
    backward = forward if matrix.symmetric else multiply(matrix.transpose(), where)
    return SparsePropagator(forward, backward)


def weighted_sum(terms: Sequence[tuple[float, Propagator]]) -> Propagator:
    """The propagator of sum over m of w_m A_m: how the graphs of several modalities are fused."""

    def fused(x: Tensor) -> Tensor:
        total = torch.zeros_like(x)
        for weight, term in terms:
            total = torch.add(total, term(x), alpha=weight)
        return total

    return fused
