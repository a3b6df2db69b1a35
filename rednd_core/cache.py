"""Arrays on disk under a key made of everything that they were computed from.

A key is the BLAKE2b digest of the input arrays' bytes, shapes and dtypes, of every parameter and of
the versions of the libraries that computed. Nothing expires: a different input is a different key.

One root is written; further roots are only read, e.g. the ``projections/`` folder that a bundled or
imported run brings along. Entries are ``<key>.npz`` of uncompressed arrays, read with
``allow_pickle=False``: a foreign file can neither run code nor unpack to more than its own size.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import sys
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rednd_core.atomic import ABANDONED_SECONDS, commit, remove_leftovers, stage
from rednd_core.bounded import require_plain
from rednd_core.config import PROJECT_ROOT
from rednd_core.errors import ConfigError

logger = logging.getLogger(__name__)

Arrays = dict[str, NDArray[Any]]

KEY_BYTES = 20
MAX_BYTES = 2 << 30  # of the writable root; a projection of 26,000 nodes in 5 layers is about 20 MB


def library_versions(*distributions: str) -> dict[str, str]:
    """Installed versions without the local tag: ``2.5.0+cpu`` and ``2.5.0+cu124`` share a cache."""
    return {name: metadata.version(name).partition("+")[0] for name in distributions}


def content_key(
    name: str,
    arrays: Iterable[ArrayLike],
    params: Mapping[str, Any],
    versions: Mapping[str, str],
) -> str:
    """Hex key of a computation.

    Args:
        name: what is computed, e.g. ``"knn"``; ``"knn-2"`` once the code gives another result.
        arrays: inputs in order; dtype, shape and bytes count.
        params: JSON values; their order does not count.
        versions: see :func:`library_versions`.

    Raises:
        ConfigError: a parameter that JSON cannot say exactly (an array, NaN, an object).
    """
    try:
        settings = json.dumps([name, params, versions], sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ConfigError(
            expected="cache parameters made of finite numbers, strings, lists and mappings",
            found=str(error),
            remedy="pass arrays as arrays and plain values as parameters",
        ) from None
    digest = hashlib.blake2b(settings.encode(), digest_size=KEY_BYTES)
    for array in arrays:
        values = np.ascontiguousarray(array)
        digest.update(f"|{values.dtype.str}{np.shape(array)}|".encode())
        digest.update(values.data.cast("B") if values.size else b"")
    return digest.hexdigest()


@dataclass(frozen=True)
class ArrayCache:
    """Named arrays by key, in one writable folder and any number of read-only ones.

    Attributes:
        root: folder that is written, made when first needed; None reads only.
        bundled: folders that are only read, after ``root``; missing ones are skipped.
        max_bytes: bound of ``root``; the least recently used entries go first.
    """

    root: Path | None
    bundled: Sequence[Path] = ()
    max_bytes: int = MAX_BYTES

    def get(self, key: str) -> Arrays | None:
        """The arrays stored under ``key``; None when no root has a readable entry."""
        for folder in (self.root, *self.bundled):
            if folder is None:
                continue
            path = folder / f"{key}.npz"
            try:
                arrays = _read(path)
            except FileNotFoundError:
                continue
            except Exception as error:
                # zipfile and numpy parse headers that may be anybody's: whatever they trip over.
                logger.warning("Unreadable cache entry %s counts as missing: %s", path, error)
                continue
            if folder == self.root:
                with contextlib.suppress(OSError):
                    os.utime(path)  # its time of last use, for pruning
            return arrays
        return None

    def put(self, key: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Store ``arrays`` under ``key``, replacing what is there.

        Readers see the old entry or the whole new one. A folder that cannot be written costs a
        warning, not the result that has just been computed.
        """
        if self.root is None:
            return
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            path = self.root / f"{key}.npz"
            commit(stage(path, lambda file: np.savez(file, **dict(arrays))), path)  # type: ignore[arg-type]
        except OSError as error:
            logger.warning("The cache %s cannot be written: %s", self.root, error)
            return
        self._prune(keep=key)
        remove_leftovers(self.root, older_than=ABANDONED_SECONDS)

    def _prune(self, keep: str) -> None:
        """Remove least recently used entries until the writable root fits; never ``keep``."""
        entries: list[tuple[float, int, Path]] = []
        for path in self.root.glob("*.npz") if self.root else ():
            with contextlib.suppress(OSError):  # another process may remove it meanwhile
                stat = path.stat()
                entries.append((stat.st_mtime, stat.st_size, path))
        excess = sum(size for _, size, _ in entries) - self.max_bytes
        for _, size, path in sorted(entries):
            if excess <= 0:
                return
            if path.stem == keep:
                continue
            with contextlib.suppress(OSError):
                path.unlink()
            excess -= size


def _read(path: Path) -> Arrays:
    require_plain(path)
    with zipfile.ZipFile(path) as archive:
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
            raise ValueError("compressed members, which this cache never writes")
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def cache_folder() -> Path:
    """Where this user's arrays are kept.

    In ``$REDND_CACHE``; else in the project's ``.cache`` in a checkout, and in the user's cache folder
    elsewhere.
    """
    own = os.environ.get("REDND_CACHE")
    return Path(own) if own else _checkout_cache() or _user_cache()


def kept_arrays() -> ArrayCache:
    """The user's own arrays."""
    return ArrayCache(cache_folder())


def _checkout_cache() -> Path | None:
    """None where the package is installed: the folder around it belongs to the package manager."""
    return PROJECT_ROOT / ".cache" if (PROJECT_ROOT / "pyproject.toml").is_file() else None


def _user_cache() -> Path:
    """``rednd`` in ``$XDG_CACHE_HOME`` or where the platform's programs keep such files."""
    named = os.environ.get("XDG_CACHE_HOME")
    if sys.platform == "win32":
        named = named or os.environ.get("LOCALAPPDATA")
    usual = "~/Library/Caches" if sys.platform == "darwin" else "~/.cache"
    return Path(named or usual).expanduser() / "rednd"
