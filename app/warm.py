"""What the server does in the background: what takes seconds, before somebody waits for it, and tidying."""

from __future__ import annotations

import gc
import importlib
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from rednd_core.errors import RedndError

NAME = "warm"
VISITOR_SECONDS = 3.0  # how long the server waits for a first visitor before it goes on
DRAWING_SECONDS = (
    0.5  # time for a browser to draw the first picture before the server is busy with the rest
)

TIDY_SECONDS = 30.0

_visited = threading.Event()


def start() -> None:
    """Begin in a thread, which ends with the server."""
    # Streamlit warns of every spinner that no visitor sees.
    logger = logging.getLogger("streamlit.runtime.scriptrunner_utils.script_run_context")
    logger.addFilter(lambda record: record.threadName != NAME)
    threading.Thread(target=_work, name=NAME, daemon=True).start()


def first_picture_sent() -> None:
    """Go on with the preparations that the first picture did not need."""
    _visited.set()


def _work() -> None:
    try:
        _warm()
    except Exception:  # the page that needs it will meet it as well; sessions end all the same
        logging.getLogger(__name__).exception("What pages need could not be prepared")
    tidy(lambda: time.sleep(TIDY_SECONDS))


def _warm() -> None:
    from app.home import view as home

    with suppress(RedndError):  # The page shows the same error.
        home.prepare()
    if _visited.wait(VISITOR_SECONDS):
        time.sleep(DRAWING_SECONDS)
    for page in ("embeddings", "training"):
        importlib.import_module(f"app.{page}.view")
    from app import cached
    from app.data import view as data
    from app.depth import view as depth
    from app.explain import view as explain
    from app.learn import view as learn
    from app.recommendations import view as recommendations
    from app.smoothness import view as smoothness

    cached.models()  # This call imports torch, which most pages need.
    pages = (depth, recommendations, smoothness, data, learn, explain)
    for prepare in (page.prepare for page in pages):
        with suppress(RedndError):
            prepare()


def tidy(wait: Callable[[], object]) -> NoReturn:
    """Free what ended sessions leave, again and again, after each ``wait``.

    Streamlit forgets a session two minutes after its browser has gone, without closing it: three open files
    and some hundred kilobytes stay until they are collected as garbage. A collection looks at every object,
    .6 s with torch, pandas and Plotly loaded, in which no page is answered. What is there by now stays
    for as long as the server runs, so it is frozen: a collection then takes milliseconds.
    """
    gc.collect()
    gc.freeze()
    while True:
        wait()
        gc.collect()
