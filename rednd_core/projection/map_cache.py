"""Where computed maps are stored: those of this machine, and those that came with the sample data."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from rednd_core.cache import ArrayCache
from rednd_core.config import PROJECT_ROOT


def default_map_cache() -> ArrayCache:
    """The user's own maps, and the bundled ones, which are only read.

    The own ones are in ``$REDND_CACHE``, or in the project's ``.cache`` in a checkout, or in the folder
    where the platform's programs keep such files.
    """
    own = os.environ.get("REDND_CACHE")
    root = Path(own) if own else _checkout_cache() or _user_cache()
    return ArrayCache(root, sorted(PROJECT_ROOT.glob("sample_data/*/projections")))


def _checkout_cache() -> Path | None:
    """None where the package is installed: the folder around it belongs to the package manager."""
    return PROJECT_ROOT / ".cache" if (PROJECT_ROOT / "pyproject.toml").is_file() else None


def _user_cache() -> Path:
    return Path(platformdirs.user_cache_dir("rednd", appauthor=False, opinion=False))
