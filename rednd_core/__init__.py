"""RedNⁿD and baseline graph recommenders, with the measures that make over-smoothing visible.

What other programs use is named in ``__all__`` and described in docs/api.md. Importing this package imports
neither torch, dgl nor umap: the parts that need them do so when used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rednd_core.library import LoadedRun, load
    from rednd_core.smoothness.of_arrays import measure

__version__ = "0.1.0"
__all__ = ["LoadedRun", "load", "measure"]

_PLACES = {
    "LoadedRun": "rednd_core.library",
    "load": "rednd_core.library",
    "measure": "rednd_core.smoothness.of_arrays",
}


def __getattr__(name: str) -> Any:
    """A name of ``__all__``, imported when it is first used."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)
