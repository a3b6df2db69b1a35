"""UMAP's compilation, in the background."""

from __future__ import annotations

import threading
from functools import cache


@cache
def compile_umap() -> threading.Thread:
    """Compile UMAP's numba code, once a server; called where a page offers to compute a UMAP.

    Not from the start: it keeps a core busy for many seconds, and the bundled maps are there already.
    """
    from rednd_core.projection import prewarm

    thread = threading.Thread(target=prewarm, name="compile-umap", daemon=True)
    thread.start()
    return thread
