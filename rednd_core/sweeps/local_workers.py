"""Worker processes of this machine, one for each training that goes on at the same time."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Any

import torch
from distributed import Client, Nanny, Scheduler, SpecCluster

from rednd_core.errors import EngineError
from rednd_core.training.memory import MEMORY_SHARE

GPU = "GPU"
"""The name of the resource that a worker with a GPU declares, one for each GPU."""
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
START_SECONDS = 120.0
"""A worker starts in two seconds on an idle machine; the limit leaves room for one that is busy."""


def gpus() -> list[str]:
    """The names of this machine's usable GPUs, as CUDA_VISIBLE_DEVICES takes them."""
    listed = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = listed.split(",") if listed else [str(n) for n in range(torch.cuda.device_count())]
    return names[: torch.cuda.device_count()]


def worker_options(
    n_workers: int, gpu_names: Sequence[str], free_bytes: int
) -> list[dict[str, Any]]:
    """How each local worker is started: one thread, and its share of a GPU where there are any.

    With more workers than GPUs, several share one.

    Args:
        free_bytes: of the machine's memory, for all of them together.
    """
    options: list[dict[str, Any]] = []
    for number in range(n_workers):
        environment, resources = ONE_THREAD | {MEMORY_SHARE: str(free_bytes // n_workers)}, {}
        if gpu_names:
            environment["CUDA_VISIBLE_DEVICES"] = gpu_names[number % len(gpu_names)]
            resources = {GPU: 1}
        options.append({"nthreads": 1, "env": environment, "resources": resources})
    return options


def dask_setup(worker: object) -> None:
    """Ignore Ctrl-C in a local worker; Dask calls this function when the worker starts.

    The terminal sends Ctrl-C to the whole process group, and only the process that gave out the jobs can
    stop them in order.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def local_workers(options: Sequence[dict[str, Any]]) -> Iterator[Client]:
    """A scheduler in this process and a worker for each of ``options``, on loopback only.

    Raises:
        EngineError: the workers do not start.
    """
    common = {
        "host": "127.0.0.1",
        "protocol": "tcp://",
        "dashboard": False,
        "memory_limit": 0,  # no limit: Dask would kill a worker above it
        "preload": [__name__],
        "death_timeout": START_SECONDS,
        "silence_logs": logging.CRITICAL,
    }
    workers = {
        number: {"cls": Nanny, "options": common | own} for number, own in enumerate(options)
    }
    address = {
        "host": "127.0.0.1",
        "port": 0,
        "protocol": "tcp://",
        "dashboard": False,
        "dashboard_address": "127.0.0.1:0",  # any free port: several sweeps may go on side by side
    }
    with ExitStack() as stack:
        stack.enter_context(_without_script())
        began = time.monotonic()
        try:
            cluster = SpecCluster(
                workers=workers,
                scheduler={"cls": Scheduler, "options": address},
                silence_logs=logging.CRITICAL,
            )
            client = stack.enter_context(Client(stack.enter_context(cluster)))
            client.wait_for_workers(len(options), timeout=START_SECONDS)
        except (OSError, RuntimeError, AssertionError):  # Dask has no error of its own for this
            raise EngineError(
                expected=f"{len(options)} worker processes that start within {START_SECONDS:.0f} seconds",
                found="that they need longer"
                if time.monotonic() - began > START_SECONDS
                else "that one of them ended as it started",
                remedy="end other programs or try fewer --workers, and give the same command again",
            ) from None
        yield client


@contextmanager
def _without_script() -> Iterator[None]:
    """Hide the script of this process from the workers that are started in the block.

    Python runs the script of the parent again in each process that it spawns. A worker needs nothing of the
    script, which may be slow, fail, or start a sweep of its own.
    """
    script = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = script
