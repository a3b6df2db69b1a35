"""Seeds, versions and the commit: what has to be recorded so that a run can be repeated."""

from __future__ import annotations

import platform
import random
import subprocess
from contextlib import suppress
from importlib import metadata
from pathlib import Path

import numpy as np

from rednd_core.config import PROJECT_ROOT

_RECORDED = ("torch", "dgl", "numpy", "scipy", "pandas", "umap-learn", "rednd")

GIT_SECONDS = 10.0
"""A repository on a network disk that does not answer must not keep a training from starting."""


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy (legacy global) and torch, on every device."""
    import torch

    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - libraries that are called from here may draw from it
    torch.manual_seed(seed)


def versions() -> dict[str, str]:
    """Versions of Python and of the libraries that results depend on; absent libraries are left out."""
    found = {"python": platform.python_version()}
    for package in _RECORDED:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def processor_name() -> str:
    """What the processor calls itself; its kind where it says nothing."""
    name = platform.processor() or platform.machine()
    with suppress(OSError):  # Linux says it here alone
        told = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
        names = [line.partition(":")[2] for line in told.splitlines() if "model name" in line]
        name = " ".join(names[0].split()) if names else name
    return name


def processor() -> str:
    """The name of the processor and the widest instructions that torch uses of it."""
    import torch

    return f"{processor_name()[:100]}, {torch.backends.cpu.get_cpu_capability()}"


def commit() -> str | None:
    """The project's git commit, with ``+`` where tracked files differ from it; None outside a checkout.

    A package that is installed inside somebody else's repository has no commit.
    """
    try:
        if not Path(_git("rev-parse", "--show-toplevel")).samefile(PROJECT_ROOT):
            return None
        head = _git("rev-parse", "--short=12", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return None
    return head + ("+" if changed else "")


def _git(*arguments: str) -> str:
    done = subprocess.run(  # noqa: S603
        ["git", "-C", str(PROJECT_ROOT), *arguments],  # noqa: S607
        capture_output=True,
        text=True,
        check=True,
        timeout=GIT_SECONDS,
    )
    return done.stdout.strip()
