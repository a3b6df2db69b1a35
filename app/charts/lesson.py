"""A lesson on a page: the scripts of ``rednd_core.lessons`` as a component."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from rednd_core.lessons import COLORS, STYLE, scripts

GLUE = Path(__file__).parent / "lesson.js"


def lesson_player(
    payload: str,
    *,
    key: str,
    step: str,
    presenting: bool,
    on_chosen: Callable[[Any], None],
) -> None:
    """Show a lesson, or leave the one that is there as it is where the payload is the same.

    Args:
        payload: the JSON of ``rednd_core.lessons.payload.lesson_payload``.
        step: the name of the step to begin with; "" for the first.
        presenting: whether the lesson fills the window in large type.
        on_chosen: called with ``{"step": "zigzag"}``, ``{"lesson": 4}`` or ``{"presenting": true}``, as the
            browser says: to be checked.
    """
    _component()(
        data={"payload": payload, "colors": COLORS, "step": step, "presenting": presenting},
        key=key,
        on_chosen_change=lambda: on_chosen(st.session_state[key]["chosen"]),
    )


@st.cache_resource(show_spinner=False)
def _component() -> Callable[..., Any]:
    return st.components.v2.component(
        "lesson_player",
        html='<div class="root"></div>',
        css=STYLE.read_text(encoding="utf-8"),
        js=f"{scripts()}\n{GLUE.read_text(encoding='utf-8')}",
    )
