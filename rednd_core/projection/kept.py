"""Where maps are kept: those of this machine, and those that came with the sample data."""

from __future__ import annotations

import os
from pathlib import Path

from rednd_core.cache import ArrayCache
from rednd_core.config import PROJECT_ROOT


def kept_maps() -> ArrayCache:
    """``$REDND_CACHE`` or the project's ``.cache``, and the bundled maps, which are only read."""
    root = Path(os.environ.get("REDND_CACHE") or PROJECT_ROOT / ".cache")
    return ArrayCache(root, sorted(PROJECT_ROOT.glob("sample_data/*/projections")))
