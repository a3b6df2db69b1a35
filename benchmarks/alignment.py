"""What does RedNⁿD's alignment cost: attention kernels against the dense N x N form and against chunks?

    python benchmarks/alignment.py [--device cuda] [--sizes 1024 4096 16018 65536] [--json PATH]

Value and both gradients of one modality, anchors = candidates = all N nodes (scope ``full``). The dense
form and the chunked one, which computes scores again in the backward pass, are those of
``plain_rednnd.py``, written plainly from the equation. On CUDA products in bfloat16 are timed as well.

Each measurement runs in a process of its own; ``MB`` is the growth of its peak memory over the inputs.
``gradient error`` is the largest difference of a gradient to that of the equation in float64, relative to
the largest entry: of both gradients up to ``CHECKED`` nodes, above of as many rows of the first.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from common import MemoryGrowth, in_own_process, report, seconds_of
from plain_rednnd import chunked_info_nce, dense_info_nce
from torch import Tensor

from rednd_core.losses.info_nce import info_nce
from rednd_core.training.memory import free_memory

TEMPERATURE = 0.2
REPEAT = 3
DENSE_TABLES = 5  # the dense form holds so many N x N tables of float32 at its peak
CHECKED = 4096


def ours(
    anchors: Tensor, candidates: Tensor, temperature: float, precision: torch.dtype | None = None
) -> Tensor:
    own = torch.arange(len(anchors), device=anchors.device)
    return info_nce(anchors, candidates, own, temperature, precision=precision)


Form = Callable[[Tensor, Tensor, float], Tensor]
FORMS: dict[str, Form] = {
    "dense": dense_info_nce,
    "chunked": chunked_info_nce,
    "attention": ours,
    "attention bf16": partial(ours, precision=torch.bfloat16),
}


def inputs(n: int, dim: int, device: str) -> list[Tensor]:
    """The same numbers on every device."""
    generator = torch.Generator().manual_seed(0)
    rows = [torch.randn(n, dim, generator=generator) for _ in range(2)]
    return [x.to(device).requires_grad_() for x in rows]


def measure(name: str, n: int, dim: int, device: str) -> dict[str, Any]:
    """Seconds of one forward and backward pass, growth of memory in MB, and the error."""
    form = FORMS[name]
    anchors, candidates = inputs(n, dim, device)
    form(anchors[:64], candidates[:64], TEMPERATURE).backward()  # the first call loads libraries
    anchors.grad = candidates.grad = None
    growth = MemoryGrowth(device)
    seconds = []
    for _ in range(REPEAT):
        anchors.grad = candidates.grad = None
        seconds.append(
            seconds_of(lambda: form(anchors, candidates, TEMPERATURE).backward(), device)
        )
    grown = growth.megabytes()
    gradients = [x.grad.cpu() for x in (anchors, candidates) if x.grad is not None]
    return {"seconds": min(seconds), "MB": grown, "error": error(gradients, n, dim)}


def error(found: list[Tensor], n: int, dim: int) -> float:
    """Against the equation in float64, on the CPU."""
    anchors, candidates = (x.detach().double() for x in inputs(n, dim, "cpu"))
    rows = anchors[:CHECKED].requires_grad_()
    wanted: list[Tensor] = [rows]
    if n <= CHECKED:
        wanted.append(candidates.requires_grad_())
    unit = torch.nn.functional.normalize(candidates)
    scores = torch.nn.functional.normalize(rows) @ unit.T / TEMPERATURE
    loss = (scores.logsumexp(1) - scores[:, : len(rows)].diagonal()).sum() / n
    gradients = torch.autograd.grad(loss, wanted)
    pairs = zip(
        found, gradients, strict=False
    )  # above CHECKED nodes only the first gradient is compared
    return max(float((a[: len(b)] - b).abs().max() / b.abs().max()) for a, b in pairs)


def row(name: str, n: int, dim: int, device: str) -> dict[str, Any]:
    """One line of the table."""
    needed = DENSE_TABLES * 4 * n * n
    line: dict[str, Any] = {"N": n, "form": name, "device": device}
    if name == "dense" and needed > free_memory(torch.device(device)):
        return line | {"s": "", "MB": f"does not fit: {needed >> 20:,}", "gradient error": ""}
    found = in_own_process(measure, name, n, dim, device)
    return line | {
        "s": f"{found['seconds']:.4f}",
        "MB": f"{found['MB']:.0f}",
        "gradient error": f"{found['error']:.1e}",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--sizes", type=int, nargs="+", default=[1024, 4096, 16_018, 65_536])
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--json")
    options = parser.parse_args()
    names = [name for name in FORMS if options.device == "cuda" or name != "attention bf16"]
    rows = [row(name, n, options.dim, options.device) for n in options.sizes for name in names]
    report(rows, options.json)


if __name__ == "__main__":
    main()
