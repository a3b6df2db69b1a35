"""What takes seconds once a server, done in the background before somebody waits for it."""

from __future__ import annotations

import importlib
import logging
import threading
import time
from contextlib import suppress

from rednd_core.errors import RedndError

NAME = "warm"
VISITOR_SECONDS = 3.0  # how long the server waits for a first visitor before it goes on
DRAWING_SECONDS = (
    0.5  # a browser with the first picture; later, and the first change of page meets the rest
)

_visited = threading.Event()


def start() -> None:
    """Begin, in a thread that does not keep the server from ending."""
    # Streamlit warns of every spinner that has no visitor to show itself to.
    logger = logging.getLogger("streamlit.runtime.scriptrunner_utils.script_run_context")
    logger.addFilter(lambda record: record.threadName != NAME)
    threading.Thread(target=_warm, name=NAME, daemon=True).start()


def first_picture_sent() -> None:
    """Go on with what the first picture did not need."""
    _visited.set()


def _warm() -> None:
    from app.home import view as home

    with suppress(RedndError):  # the page will say it
        home.prepare()
    if _visited.wait(VISITOR_SECONDS):
        time.sleep(DRAWING_SECONDS)
    for page in ("embeddings", "training"):
        importlib.import_module(f"app.{page}.view")
    from app import cached
    from app.data import view as data
    from app.depth import view as depth
    from app.recommendations import view as recommendations
    from app.smoothness import view as smoothness

    cached.models()  # imports torch, which most pages need
    for prepare in (depth.prepare, recommendations.prepare, smoothness.prepare, data.prepare):
        with suppress(RedndError):
            prepare()
