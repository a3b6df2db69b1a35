"""Pages take turns: with many visitors at once, a few scripts run at a time and the others wait.

Python runs one thread at a time. Fifty scripts that share it all end late, and the switches between them cost
a tenth of the processor; two at a time end early. Measured with 50 visitors who think 2 to 6 s, on two cores:
the median of a page fell from 4.5 to 2.3 s (``benchmarks/reliability/load.py``).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

AT_ONCE = 2  # one may wait for a file or compute without Python's lock while the other runs
MOST_SECONDS = 3.0

_turns = threading.BoundedSemaphore(AT_ONCE)


@contextmanager
def turn() -> Iterator[None]:
    """Wait until few others run; after :data:`MOST_SECONDS` go on all the same.

    So a map that takes a minute to compute delays the pages of other visitors a little, and never stops them.
    """
    has_turn = _turns.acquire(timeout=MOST_SECONDS)
    try:
        yield
    finally:
        if has_turn:
            _turns.release()
