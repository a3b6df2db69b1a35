"""What every benchmark says about itself: hardware, commit, and its rows as a table or JSON.

Benchmarks import this first, so that their processes are set up as ``rednd train`` is.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from rednd_core.process_setup import set_up_process
from rednd_core.reproducibility import commit, processor_name

set_up_process()

T = TypeVar("T")


def hardware() -> str:
    """Processor, cores in use, load, torch version, and the GPU where there is one."""
    import torch

    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    return (
        f"{processor_name()}, {os.cpu_count()} cores, {torch.get_num_threads()} threads, "
        f"load {os.getloadavg()[0]:.1f}, torch {torch.__version__}{gpu}"
    )


def peak_kib() -> int:
    """This process's peak resident memory in KiB."""
    import torch

    from rednd_core.training.memory import peak_memory

    return peak_memory(torch.device("cpu")) >> 10


def reset_peak() -> int:
    """Set the peak back to the memory in use (on Linux), and return it in KiB."""
    reset = Path("/proc/self/clear_refs")
    if reset.exists():
        reset.write_text("5")
    return peak_kib()


class MemoryGrowth:
    """Megabytes by which a device's peak grows from now on: resident memory, or the GPU's tensors."""

    def __init__(self, device: str) -> None:
        import torch

        self._on_gpu = torch.device(device).type == "cuda"
        if self._on_gpu:
            torch.cuda.reset_peak_memory_stats()
            self._before = torch.cuda.memory_allocated() >> 10
        else:
            self._before = reset_peak()

    def megabytes(self) -> float:
        import torch

        peak = torch.cuda.max_memory_allocated() >> 10 if self._on_gpu else peak_kib()
        return (peak - self._before) / 1024


def seconds_of(action: Callable[[], object], device: str) -> float:
    """Seconds from here to the end of ``action`` on the device."""
    import torch

    def wait() -> None:
        if torch.device(device).type == "cuda":
            torch.cuda.synchronize()

    wait()
    began = time.perf_counter()
    action()
    wait()
    return time.perf_counter() - began


def in_own_process(function: Callable[..., T], *arguments: object) -> T:
    """The result of ``function(*arguments)``, computed in a new process with a peak of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as process:
        return process.apply(function, arguments)


def report(rows: Sequence[dict[str, object]], path: str | None) -> None:
    """Print rows as a Markdown table under a line of hardware and commit; also as JSON to ``path``."""
    print(f"{hardware()}, commit {commit()}\n")
    columns = list(rows[0])
    print("| " + " | ".join(columns) + " |")
    print("|" + "---|" * len(columns))
    for row in rows:
        print("| " + " | ".join(str(row[column]) for column in columns) + " |")
    if path:
        content = {"hardware": hardware(), "commit": commit(), "rows": list(rows)}
        Path(path).write_text(json.dumps(content, indent=2) + "\n")
