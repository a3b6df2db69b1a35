"""Settings of the C libraries for a process that trains."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

FAULTS = """
import resource
import numpy as np
{set_up}
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def step():
    return [np.ones(1 << 20) for _ in range(8)]
for _ in range(3):
    step()
before = faults()
for _ in range(5):
    step()
print(faults() - before)
"""
SET_UP = "from rednd_core.process_setup import set_up_process; set_up_process()"


def run(code: str, **variables: str) -> str:
    names = ("GOMP_SPINCOUNT", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_")
    clean = {name: value for name, value in os.environ.items() if name not in names}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=clean | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.mark.skipif(
    not sys.platform.startswith("linux") or "glibc" not in os.confstr("CS_GNU_LIBC_VERSION"),
    reason="glibc's malloc",
)
def test_freed_tables_are_reused() -> None:
    """Five times 8 arrays of 8 MiB: 2,048 pages each, fetched anew or not at all."""
    assert int(run(FAULTS.format(set_up=""))) > 1000
    assert int(run(FAULTS.format(set_up=SET_UP))) < 100


def test_what_the_user_has_set_stays() -> None:
    names = "os.environ['GOMP_SPINCOUNT'], os.environ.get('MALLOC_TRIM_THRESHOLD_')"
    code = f"import os\n{SET_UP}\nprint({names})"
    assert run(code, GOMP_SPINCOUNT="7", MALLOC_TRIM_THRESHOLD_="5") == "7 5"
    assert run(code).split()[0] == "2000"
