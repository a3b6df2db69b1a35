"""The command line. Each command is a thin door to the core; heavy imports happen inside it."""

from __future__ import annotations

import os
import sys

from rednd_core.errors import RedndError


def main() -> None:
    """Run ``rednd``. Exit codes: 0 done, 1 a problem that the message explains, 2 wrong usage."""
    # Before torch is loaded. OpenMP's threads spin while they wait for one another, for milliseconds by
    # default: with an app or a browser on the same cores a step then took five times as long.
    os.environ.setdefault("GOMP_SPINCOUNT", "2000")
    from rednd_core.cli.app import app

    try:
        app()
    except RedndError as error:
        sys.stderr.write(f"rednd: {error}\n")
        raise SystemExit(1) from None
