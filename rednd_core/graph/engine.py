"""Engines: how a normalised graph is multiplied with embeddings, differentiably.

Two engines implement :class:`~rednd_core.graph.propagator.Propagator`: DGL (the default on the CPU, and on
CUDA where the installed DGL was built for it) and torch CSR (elsewhere, also where DGL cannot be
installed). Both pass the same tests against dense A @ X.
"""

from __future__ import annotations

import importlib.util

import torch

from rednd_core.config import Engine
from rednd_core.errors import EngineError, unknown_name
from rednd_core.graph import engine_csr
from rednd_core.graph.normalize import SparseMatrix
from rednd_core.graph.propagator import Propagator, SparsePropagator
from rednd_core.graph.weighted import EdgePattern, WeightedProduct


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
        Differentiable products with the matrix; float32 and float64.
    """
    where = device if isinstance(device, torch.device) else resolve_device(device)
    chosen = resolve_engine(engine, where)
    if chosen == "dgl":
        from rednd_core.graph.engine_dgl import power_sum
    else:
        power_sum = engine_csr.power_sum
    forward = power_sum(matrix, where)
    backward = forward if matrix.symmetric else power_sum(matrix.transpose(), where)
    return SparsePropagator(forward, backward)


def weighted_product(
    pattern: EdgePattern, engine: Engine = "auto", device: str | torch.device = "cpu"
) -> WeightedProduct:
    """Bind the edges of a pattern, whose weights come with every call, to an engine on a device.

    Args:
        pattern: (n_rows, n_cols).
        engine: ``dgl``, ``csr``, or ``auto``, which here is always csr: with one weight an edge it is
            four to six times as fast as DGL on the CPU (``docs/decisions/029-*.md``).
        device: ``auto``, ``cpu``, ``cuda``, or a torch device.
    """
    where = device if isinstance(device, torch.device) else resolve_device(device)
    if engine != "auto" and resolve_engine(engine, where) == "dgl":
        from rednd_core.graph.engine_dgl import DglKernels

        return WeightedProduct(pattern, DglKernels(pattern, where), where)
    return WeightedProduct(pattern, engine_csr.CsrKernels(pattern, where), where)
