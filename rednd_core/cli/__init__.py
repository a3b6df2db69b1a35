"""The command line. Each command is a thin door to the core; heavy imports happen inside it."""

from __future__ import annotations

import sys

from rednd_core.errors import RedndError
from rednd_core.tuning import tune_process


def main() -> None:
    """Run ``rednd``. Exit codes: 0 done, 1 a problem that the message explains, 2 wrong usage."""
    tune_process()
    from rednd_core.cli.app import app

    try:
        app()
    except RedndError as error:
        sys.stderr.write(f"rednd: {error}\n")
        raise SystemExit(1) from None
