"""What does RedNⁿD's alignment cost: attention kernels against the dense N x N form?

    python benchmarks/alignment.py [--sizes 1024 4096 16018] [--dim 64] [--json PATH]

Value and both gradients of one modality, float32, anchors = candidates = all N nodes (scope ``full``).
The dense form is that of ``plain_rednnd.py``, written plainly from the equation. Each measurement runs
in a process of its own, so that the peak memory is its own; ``memory`` is the growth of the resident
set over the inputs. ``error`` is the largest difference of a gradient, relative to the largest gradient.
"""

from __future__ import annotations

import argparse
import resource
import time

import torch
from common import in_own_process, report
from plain_rednnd import dense_info_nce
from torch import Tensor

from rednd_core.losses.info_nce import info_nce

TEMPERATURE = 0.2
REPEAT = 3


def ours(anchors: Tensor, candidates: Tensor, temperature: float) -> Tensor:
    return info_nce(anchors, candidates, torch.arange(len(anchors)), temperature)


FORMS = {"dense": dense_info_nce, "attention": ours}


def measure(form: str, n: int, dim: int) -> dict[str, object]:
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[1024, 4096, 16_018])
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--json")
    options = parser.parse_args()
    rows = []
    for n in options.sizes:
        found = {}
        for form in FORMS:
            found[form] = in_own_process(measure, form, n, options.dim)
        dense, fast = found["dense"], found["attention"]
        error = max(
            abs(a - b).max() / abs(a).max()
            for a, b in zip(dense["gradients"], fast["gradients"], strict=True)
        )
        rows.append(
            {
                "N": n,
                "dense s": round(dense["seconds"], 3),
                "attention s": round(fast["seconds"], 3),
                "times faster": round(dense["seconds"] / fast["seconds"], 1),
                "dense MB": round(dense["memory_mb"]),
                "attention MB": round(fast["memory_mb"]),
                "gradient error": f"{error:.1e}",
            }
        )
    report(rows, options.json)


if __name__ == "__main__":
    main()
