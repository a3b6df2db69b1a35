"""What takes seconds once a server: numba's compiler and the models with torch."""

from __future__ import annotations

import threading
from typing import Any

import streamlit as st

PREWARM_DELAY_SECONDS = 6.0


@st.cache_resource(show_spinner=False)
def prewarm() -> None:
    """Import torch and compile UMAP's numba code in the background, once a server.

    A few seconds late: on two cores the compiler would hold up the first picture.
    """
    timer = threading.Timer(PREWARM_DELAY_SECONDS, _warm)
    timer.daemon = True
    timer.start()


def _warm() -> None:
    import rednd_core.evaluation.evaluate  # noqa: F401 - imports torch, which most pages need
    from rednd_core.projection import prewarm as compile_umap

    compile_umap()


@st.cache_resource(show_spinner="Loading the models …")
def models() -> dict[str, Any]:
    """Model name -> its class. The first call imports torch, which takes seconds."""
    from rednd_core.models.registry import model_class, model_names

    return {name: model_class(name) for name in model_names()}
