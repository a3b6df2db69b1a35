"""The models that can be trained."""

from __future__ import annotations

from typing import Any

import streamlit as st


@st.cache_resource(show_spinner="Loading the models …")
def models() -> dict[str, Any]:
    """Model name -> its class. The first call imports torch, which takes seconds."""
    from rednd_core.modeling.registry import model_class, model_names

    return {name: model_class(name) for name in model_names()}
