"""The command line. A command calls the core and prints; it imports heavy modules when it runs."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from rednd_core.cli.speech import say
from rednd_core.errors import RedndError, storage_error
from rednd_core.process_setup import set_up_process

INTERRUPTED = 130


def main() -> None:
    """Run ``rednd``.

    Exit codes: 0 done, 1 a problem that the message explains, 2 wrong usage, 130 ended by Ctrl-C.
    """
    with explaining():
        set_up_process()
        from rednd_core.cli.app import app

        app()


@contextmanager
def explaining() -> Iterator[None]:
    """Whatever a user can mend and ends the block becomes one line on standard error, and exit code 1."""
    try:
        yield
    except RedndError as error:
        _fail(str(error))
    except OSError as error:
        _fail(str(storage_error(error)))
    except MemoryError as error:
        _fail(str(_out_of_memory(error)))
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
    finally:
        # One more Ctrl-C while the interpreter leaves ends the process without a word.
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def _out_of_memory(error: MemoryError) -> RedndError:
    return RedndError(
        expected="enough memory",
        found=f"that it is used up ({str(error) or 'no details'})",
        remedy="end other programs, or choose smaller settings or data",
    )


def _fail(sentence: str) -> None:
    say(f"rednd: {sentence}")
    raise SystemExit(1) from None
