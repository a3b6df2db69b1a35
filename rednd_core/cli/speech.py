"""Lines for people. Output that nobody reads never ends a training.

A closed terminal, or a pipe whose reader has gone, refuses every further byte. The stream then leads
to nowhere, so that the next line, and what the interpreter flushes when it leaves, cost nothing.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TextIO

from rednd_core.errors import printable


def say(text: str) -> None:
    """A line on standard error, so that standard output stays machine-readable."""
    _write(sys.stderr, printable(text))


def tell(text: str) -> None:
    """A line on standard output."""
    _write(sys.stdout, printable(text))


def give(text: str) -> None:
    """A line for a program on standard output, as it stands."""
    _write(sys.stdout, text)


def _write(stream: TextIO, text: str) -> None:
    try:
        try:
            stream.write(text + "\n")
        except UnicodeEncodeError:  # a terminal of few characters
            code = stream.encoding
            stream.write(text.encode(code, "backslashreplace").decode(code) + "\n")
        stream.flush()
    except (OSError, ValueError):
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
