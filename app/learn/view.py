"""Learn: ten lessons, one step a screen. A lesson runs in the browser; the address follows."""

from __future__ import annotations

import json
from typing import Any

import streamlit as st

from app import cached, state
from app.charts.lesson import lesson_player
from app.shared.errors import explained
from app.shared.links import say_unknown
from app.sitemap import PAGES
from rednd_core.lessons.catalogue import CONTENTS, NUMBERS
from rednd_core.lessons.page import handout
from rednd_core.lessons.world import WORLDS

LESSON, STEP, WORLD, PRESENT = "lesson", "step", "world", "present"
WAYS = {
    name: name for name in PAGES
}  # A page's address, seen from the address of this page beside it.
STEADY = "<style>.stElementContainer { opacity: 1 !important; }</style>"
"""Streamlit fades what is on the page while it runs; a lesson has its new step already."""
PRESENTING = """<style>
[data-testid=stSidebar], [data-testid=stHeader], [data-testid=stToolbar] { display: none; }
</style>"""


@explained
def render() -> None:
    say_unknown({LESSON: {str(number) for number in NUMBERS}, WORLD: WORLDS, PRESENT: {"1"}})
    number, world = _asked(LESSON, {str(n): n for n in NUMBERS}), _world()
    if number is None:
        _contents(world)
    else:
        _lesson(number, world)


def _asked(key: str, known: dict[str, Any]) -> Any:
    """What a link asks for under ``key``; else what was chosen in this session; else None."""
    for text in state.from_address(key) or ():
        if text in known:
            st.session_state[key] = known[text]
    return st.session_state.get(key)


def _world() -> str:
    """The world that the lessons use; the choice is made on the page of contents."""
    return str(_asked(WORLD, {name: name for name in WORLDS}) or next(iter(WORLDS)))


def _contents(world: str) -> None:
    st.title("Learn", anchor=False)
    st.markdown(
        "Ten lessons of five minutes. Predict first, then look. "
        "Every number comes from the bundled runs, and each sentence is checked against its picture."
    )
    if len(WORLDS) > 1:
        chosen = st.segmented_control(
            "World",
            list(WORLDS),
            default=world,
            required=True,
            format_func=lambda name: WORLDS[name].title,
            help="The data set that the lessons use. Each has runs of the same models.",
        )
        st.session_state[WORLD] = chosen
        state.to_address(WORLD, [chosen] if chosen != next(iter(WORLDS)) else [])
        world = chosen
    columns = st.columns(2)
    half = (len(CONTENTS) + 1) // 2
    for place, (number, entry) in enumerate(zip(NUMBERS, CONTENTS, strict=True)):
        with columns[place // half], st.container(border=True, gap="xxsmall"):
            st.button(
                f"**{number}. {entry.title}**",
                key=f"open-{number}",
                type="tertiary",
                on_click=lambda chosen: st.session_state.update({LESSON: chosen}),
                args=(number,),
            )
            st.markdown(entry.about)


def _lesson(number: int, world: str) -> None:
    payload = cached.lesson(number, world, WAYS)
    names = [step["name"] for step in json.loads(payload)["lesson"]["steps"]]
    step = _asked(STEP, {name: name for name in names})
    presenting = bool(_asked(PRESENT, {"1": True}))
    _write_address(number, step if step in names else "", world, presenting)
    st.html(PRESENTING + STEADY if presenting else STEADY)
    lesson_player(
        payload,
        key="lesson-player",
        step=step if step in names else "",
        presenting=presenting,
        on_chosen=_take,
    )
    if presenting:
        return
    with st.container(horizontal=True):
        st.button("All lessons", icon=":material/list:", on_click=_leave)
        st.download_button(
            "Handout (HTML)",
            lambda: handout(number, cached.lesson_world(world)).encode(),
            file_name=f"lesson-{number}.html",
            mime="text/html",
            on_click="ignore",
            icon=":material/download:",
            help="One file that opens without this app and without internet. Printed, or saved as PDF "
            "by the browser, it shows all steps with their answers.",
        )
        st.caption(
            f"Keys: → and ← go on and back, 1 to 4 answer, P presents. World: {WORLDS[world].title}."
        )


def _write_address(number: int, step: str, world: str, presenting: bool) -> None:
    first = next(iter(WORLDS))
    state.to_address(LESSON, [str(number)])
    state.to_address(STEP, [step] if step else [])
    state.to_address(WORLD, [world] if world != first else [])
    state.to_address(PRESENT, ["1"] if presenting else [])


def _leave() -> None:
    for key in (LESSON, STEP, PRESENT):
        st.session_state.pop(key, None)
        state.to_address(key, [])


def _take(chosen: Any) -> None:
    """Keep what the reader chose in the lesson, for the address."""
    if not isinstance(chosen, dict):
        return
    number, step, presenting = (chosen.get(key) for key in (LESSON, STEP, "presenting"))
    if type(number) is int and number in NUMBERS:
        st.session_state[LESSON] = number
        st.session_state.pop(STEP, None)
        state.to_address(STEP, [])
    if isinstance(step, str):
        st.session_state[STEP] = step
    if type(presenting) is bool:
        st.session_state[PRESENT] = presenting


def prepare() -> None:
    """Fill the caches of all lessons of the first world."""
    for number in NUMBERS:
        cached.lesson(number, next(iter(WORLDS)), WAYS)
