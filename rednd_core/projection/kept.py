"""Where maps are kept: those of this machine, and those that came with the sample data."""

from __future__ import annotations

from rednd_core.cache import ArrayCache, cache_folder
from rednd_core.config import PROJECT_ROOT


def kept_maps() -> ArrayCache:
    """The user's own maps, and the bundled ones, which are only read."""
    return ArrayCache(cache_folder(), sorted(PROJECT_ROOT.glob("sample_data/*/projections")))
