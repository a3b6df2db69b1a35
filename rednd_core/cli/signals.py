"""Ctrl-C, SIGTERM and a closed terminal as a wish to stop, not as an exception in the middle of something."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM)
HANGUP = getattr(signal, "SIGHUP", None)
AT_ONCE = "Ended at once by a second signal, before its results were computed; resume it to go on"


@contextmanager
def on_first_signal(stop: Callable[[], None]) -> Iterator[None]:
    """Call ``stop`` at the first SIGINT, SIGTERM or SIGHUP.

    A second SIGINT or SIGTERM raises KeyboardInterrupt, a third ends the process. A SIGHUP only ever asks
    to stop: a terminal that is closed may send two. Where SIGHUP is ignored (``nohup``) it stays so.
    """
    asked = False

    def handle(signum: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked and signum != HANGUP:
            for number in ENDING:
                signal.signal(number, signal.SIG_DFL)
            raise KeyboardInterrupt(AT_ONCE)
        if not asked:
            asked = True
            stop()

    watched = [*ENDING]
    if HANGUP is not None and signal.getsignal(HANGUP) is not signal.SIG_IGN:
        watched.append(HANGUP)
    old = {number: signal.signal(number, handle) for number in watched}
    try:
        yield
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
