"""What a process that trains asks of its C libraries, before torch is loaded."""

from __future__ import annotations

import ctypes
import os
import sys

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # <malloc.h>
KEPT_BYTES = 1 << 30
LARGEST_FROM_HEAP = 32 << 20  # the most that glibc accepts


def tune_process() -> None:
    """Set this process, and those that it starts, up for training; what the user has set stays.

    OpenMP's threads spin while they wait for one another, for milliseconds by default: with an app or a
    browser on the same cores a step then took five times as long.

    glibc returns the embedding-sized temporaries of every step to the system and gets them back as
    pages to be zeroed anew, a tenth to a third of a step; so freed memory up to 1 GiB is kept.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", "2000")
    if not sys.platform.startswith("linux"):
        return
    thresholds = {
        "MALLOC_MMAP_THRESHOLD_": (M_MMAP_THRESHOLD, LARGEST_FROM_HEAP),
        "MALLOC_TRIM_THRESHOLD_": (M_TRIM_THRESHOLD, KEPT_BYTES),
    }
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    for variable, (parameter, value) in thresholds.items():
        if variable not in os.environ:
            os.environ[variable] = str(value)  # for processes started from here
            if mallopt is not None:
                mallopt(parameter, value)
