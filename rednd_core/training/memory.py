"""Whether training fits into memory, asked before it starts."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import torch

from rednd_core.data.schema import Dataset
from rednd_core.errors import ConfigError
from rednd_core.evaluation.scoring import block_rows
from rednd_core.modeling.base import Hyperparameters
from rednd_core.modeling.footprint import Sizes, footprint
from rednd_core.modeling.registry import hyperparameters

GB = 1e9
SMALLEST_EMBEDDING = 8
MEMORY_SHARE = "REDND_MEMORY_SHARE"
"""Bytes that this process may take of the machine's, set by whoever starts several side by side: each of
them sees the memory that the others are still going to take as free."""
RANKING_BYTES = 16
"""For a score of a block on a GPU: itself, once more for its pair, comparisons, and their sum."""
OWN_GROUP, GROUPS = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")


def require_memory(
    model: str, settings: Mapping[str, Any], dataset: Dataset, device: torch.device
) -> None:
    """Refuse a training that this machine has no memory for.

    Args:
        settings: the model's hyper-parameters.

    Raises:
        ConfigError: how much it needs, how much is free, and which settings would fit.
    """
    chosen, sizes = hyperparameters(model, dict(settings)), sizes_of(dataset)
    needed, free = estimate(model, chosen, sizes, device), free_memory(device)
    if needed <= free:
        return
    fitting = [
        f"{change} ({smaller / GB:.1f} GB)"
        for change, smaller in _smaller(model, chosen, sizes, device, free)
    ]
    shared = " for one of several workers" if MEMORY_SHARE in os.environ else ""
    raise ConfigError(
        expected=f"{needed / GB:.1f} GB of free memory to train {model} "
        f"on {sizes.n_nodes:,} nodes (estimated)",
        found=f"{free / GB:.1f} GB{shared}",
        remedy=f"set {' or '.join(fitting)}" if fitting else "use a machine with more memory",
    )


def estimate(model: str, settings: Hyperparameters, sizes: Sizes, device: torch.device) -> int:
    """Bytes on ``device`` at the peak of training, beyond what data and libraries hold already."""
    on_gpu = device.type == "cuda"
    alone = (
        os.environ.get("WORLD_SIZE", "1") == "1"
    )  # a step that waits for other processes is not recorded
    n_bytes = footprint(model, settings, sizes).n_bytes(sizes, recorded=on_gpu and alone)
    if on_gpu:  # the GPU also holds the features and the scores of a validation
        n_bytes += 4 * sizes.n_items * sum(sizes.feature_dims.values())
        n_bytes += RANKING_BYTES * block_rows(device, sizes.n_items) * sizes.n_items
    return n_bytes


def sizes_of(dataset: Dataset) -> Sizes:
    """What the estimate needs to know of a data set."""
    dims = {modality: rows.shape[1] for modality, rows in dataset.features.items()}
    return Sizes(dataset.n_users, dataset.n_items, len(dataset.train), dims)


def free_memory(device: torch.device) -> int:
    """Bytes that a process can still get on a device; those on a CPU share them with their peers."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    peers = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))  # torchrun sets it
    available = int(psutil.virtual_memory().available)
    free = min([available, *(free for _, free in _groups())]) // peers
    return min(free, int(os.environ.get(MEMORY_SHARE, free)))


def whole_memory() -> int:
    """Bytes that this machine, or the container around this process, has in all."""
    return min([int(psutil.virtual_memory().total), *(limit for limit, _ in _groups())])


def _groups() -> Iterator[tuple[int, int]]:
    """Limits of this process's control group (version 2) and of those above it, and what they leave.

    A container has one, and psutil tells the memory of the whole machine there. Pages of files are
    given up when memory is asked for.
    """
    try:
        (place,) = re.findall(r"^0::/(.*)$", OWN_GROUP.read_text(), re.MULTILINE)
    except (OSError, ValueError):  # not Linux, or no control groups of version 2
        return
    for group in (GROUPS / place, *(GROUPS / place).parents):
        if not group.is_relative_to(GROUPS):
            return
        try:
            limit = (group / "memory.max").read_text().strip()
            used = int((group / "memory.current").read_text())
            known = (group / "memory.stat").read_text()
        except OSError:
            # The root group has no such files, nor has a group that is seen from within its container.
            continue
        of_files = re.findall(r"^(?:in)?active_file (\d+)$", known, re.MULTILINE)
        if limit != "max":
            yield int(limit), max(0, int(limit) - used + sum(map(int, of_files)))


def peak_memory(device: torch.device) -> int:
    """Most bytes so far: of the GPU where one is used, else this process's resident set."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    status = Path("/proc/self/status")
    if status.exists():
        # ru_maxrss would do, but it begins with the size of the process that started this one.
        (kib,) = re.findall(r"^VmHWM:\s+(\d+) kB", status.read_text(), re.MULTILINE)
        return int(kib) << 10
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # macOS gives bytes


def _smaller(
    model: str,
    settings: Hyperparameters,
    sizes: Sizes,
    device: torch.device,
    free: int,
) -> Iterator[tuple[str, int]]:
    """Single changes that would fit, the mildest of each setting: ``("embedding_size=32", bytes)``."""
    for key, values in _milder(settings.model_dump()).items():
        for value in values:
            needed = estimate(model, settings.model_copy(update={key: value}), sizes, device)
            if needed <= free:
                yield f"{key}={value}", needed
                break


def _milder(settings: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Values below the chosen ones, of the settings that memory depends on."""
    values: dict[str, list[Any]] = {}
    if settings.get("alignment_weight") and settings.get("alignment_scope", "batch") != "batch":
        values["alignment_scope"] = ["batch"]
    size, depth = settings.get("embedding_size", 0), settings.get("n_layers", 0)
    values["embedding_size"] = [
        size >> shift for shift in range(1, 16) if size >> shift >= SMALLEST_EMBEDDING
    ]
    values["n_layers"] = list(range(depth - 1, 0, -1))
    return values
