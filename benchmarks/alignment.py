"""What does RedNⁿD's alignment cost: attention kernels against the dense N x N form?

    python benchmarks/alignment.py [--sizes 1024 4096 16018 65536] [--dim 64] [--json PATH]

Value and both gradients of one modality, float32, anchors = candidates = all N nodes (scope ``full``).
The dense form is that of ``plain_rednnd.py``, written plainly from the equation. Each measurement runs
in a process of its own, so that the peak memory is its own; ``memory`` is the growth of the resident
set over the inputs. ``gradient error`` is the largest difference of a gradient, relative to the largest
gradient. Where memory for the dense form is not free, its columns say what it would need, and the error
is that of ``CHECKED`` rows of the first gradient, against the equation in float64.
"""

from __future__ import annotations

import argparse
import resource
import time
from typing import Any

import numpy as np
import psutil
import torch
from common import in_own_process, report
from plain_rednnd import dense_info_nce
from torch import Tensor

from rednd_core.losses.info_nce import info_nce

TEMPERATURE = 0.2
REPEAT = 3
DENSE_TABLES = 5  # N x N float32 numbers that the dense form holds at its peak
CHECKED = 64


def ours(anchors: Tensor, candidates: Tensor, temperature: float) -> Tensor:
    return info_nce(anchors, candidates, torch.arange(len(anchors)), temperature)


FORMS = {"dense": dense_info_nce, "attention": ours}


def measure(form: str, n: int, dim: int) -> dict[str, Any]:
    """Seconds of one forward and backward pass, growth of memory in MB, and the gradients."""
    torch.manual_seed(0)
    anchors, candidates = (torch.randn(n, dim, requires_grad=True) for _ in range(2))
    FORMS[form](anchors[:64], candidates[:64], TEMPERATURE).backward()  # libraries are loaded
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = []
    for _ in range(REPEAT):
        anchors.grad = candidates.grad = None
        began = time.perf_counter()
        FORMS[form](anchors, candidates, TEMPERATURE).backward()
        seconds.append(time.perf_counter() - began)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return {
        "seconds": min(seconds),
        "memory_mb": grown / 1024,
        "gradients": [anchors.grad.numpy(), candidates.grad.numpy()],  # type: ignore[union-attr]
    }


def rows_of_gradient(n: int, dim: int) -> np.ndarray:
    """The gradient of the first ``CHECKED`` anchors from the equation, in float64; no N x N matrix."""
    torch.manual_seed(0)
    anchors, candidates = (torch.randn(n, dim).double() for _ in range(2))
    rows = anchors[:CHECKED].requires_grad_()
    unit = torch.nn.functional.normalize(candidates)
    scores = torch.nn.functional.normalize(rows) @ unit.T / TEMPERATURE
    ((scores.logsumexp(1) - scores[:, :CHECKED].diagonal()).sum() / n).backward()
    return rows.grad.numpy()  # type: ignore[union-attr]


def error(found: np.ndarray, wanted: np.ndarray) -> float:
    return float(abs(found - wanted).max() / abs(wanted).max())


def row(n: int, dim: int) -> dict[str, Any]:
    """One line of the table."""
    fast = in_own_process(measure, "attention", n, dim)
    needed = DENSE_TABLES * 4 * n * n
    if needed > psutil.virtual_memory().available:
        wrong = error(fast["gradients"][0][:CHECKED], rows_of_gradient(n, dim))
        seconds, megabytes, ratio = "", f"does not fit: {needed >> 20:,}", ""
    else:
        plain = in_own_process(measure, "dense", n, dim)
        wrong = max(map(error, fast["gradients"], plain["gradients"]))
        seconds, megabytes = f"{plain['seconds']:.3f}", f"{plain['memory_mb']:.0f}"
        ratio = f"{plain['seconds'] / fast['seconds']:.1f}"
    return {
        "N": n,
        "dense s": seconds,
        "attention s": f"{fast['seconds']:.3f}",
        "times faster": ratio,
        "dense MB": megabytes,
        "attention MB": f"{fast['memory_mb']:.0f}",
        "gradient error": f"{wrong:.1e}",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[1024, 4096, 16_018, 65_536])
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--json")
    options = parser.parse_args()
    report([row(n, options.dim) for n in options.sizes], options.json)


if __name__ == "__main__":
    main()
