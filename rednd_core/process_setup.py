"""Settings of the C libraries for a process that trains, made before torch is loaded."""

from __future__ import annotations

import os
import sys

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # <malloc.h>
KEPT_BYTES = 1 << 30
LARGEST_FROM_HEAP = 32 << 20  # the most that glibc accepts


def set_up_process() -> None:
    """Prepare this process, and those that it starts, for training; the user's own settings stay.

    OpenMP's threads spin for milliseconds while they wait for one another: with an app or a browser on
    the same cores a step took five times as long. A low spin count prevents that.

    glibc returns the temporary tables of each step to the system and gets them back as pages that the
    system fills with zeros, which took a tenth to a third of a step. Higher thresholds let the process
    keep up to 1 GiB of freed memory.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", "2000")
    if not sys.platform.startswith("linux"):
        return
    thresholds = {
        "MALLOC_MMAP_THRESHOLD_": (M_MMAP_THRESHOLD, LARGEST_FROM_HEAP),
        "MALLOC_TRIM_THRESHOLD_": (M_TRIM_THRESHOLD, KEPT_BYTES),
    }
    import ctypes

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # the C library musl has no mallopt
    for variable, (parameter, value) in thresholds.items():
        if variable not in os.environ:
            os.environ[variable] = str(value)  # for the processes that this one starts
            if mallopt is not None:
                mallopt(parameter, value)
