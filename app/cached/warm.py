"""What takes seconds once a server: numba's compiler and the models with torch."""

from __future__ import annotations

import threading
from typing import Any

import streamlit as st


@st.cache_resource(show_spinner=False)
def prewarm() -> None:
    """Compile UMAP's numba code in the background, once a server, so that nobody waits for it."""
    from rednd_core.projection import prewarm as compile_umap

    threading.Thread(target=compile_umap, name="umap-prewarm", daemon=True).start()


@st.cache_resource(show_spinner="Loading the models …")
def models() -> dict[str, Any]:
    """Model name -> its class. The first call imports torch, which takes seconds."""
    from rednd_core.models.registry import model_class, model_names

    return {name: model_class(name) for name in model_names()}
