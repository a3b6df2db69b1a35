"""Keys of the widgets that several pages share, so that a choice survives a change of page.

Widgets made with ``**keep(key)`` write their value into the address bar (a permalink) and keep it for
the session. The same key means the same choice on every page.
"""

from __future__ import annotations

from typing import Any

RUN = "run"
OTHER_RUN = "vs"
MODALITY = "modality"
NODE = "node"  # selected graph node, as an id that people know: "user:17" or "item:SH-0412"
USER = "user"


def keep(key: str) -> dict[str, Any]:
    """Keyword arguments of a widget whose value belongs to the permalink and to the session."""
    return {"key": key, "bind": "query-params", "persist_state": "session"}
