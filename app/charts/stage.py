"""The Depth stage on a page: the scripts of ``rednd_core.stage`` as a component."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from rednd_core.stage import COLORS, STYLE, scripts

GLUE = Path(__file__).parent / "stage.js"


def depth_stage(
    payload: str,
    *,
    key: str,
    start: dict[str, Any],
    on_chosen: Callable[[Any], None],
) -> None:
    """Show a stage, or leave the one that is there as it is where the payload is the same.

    Args:
        payload: the JSON of ``rednd_core.stage.payload.stage_payload``.
        start: ``depth`` or ``epoch``, ``user`` (as links name users) and ``method`` of the map to begin
            with.
        on_chosen: called with ``{"depth": 5}``, ``{"epoch": 12}`` or ``{"user": "user:17"}`` when the
            reader chose one, as the browser says: to be checked.
    """
    _component()(
        data={"payload": payload, "colors": COLORS, "start": start},
        key=key,
        on_chosen_change=lambda: on_chosen(st.session_state[key]["chosen"]),
    )


@st.cache_resource(show_spinner=False)
def _component() -> Callable[..., Any]:
    return st.components.v2.component(
        "depth_stage",
        html='<div class="root"></div>',
        css=STYLE.read_text(encoding="utf-8"),
        js=f"{scripts()}\n{GLUE.read_text(encoding='utf-8')}",
    )
