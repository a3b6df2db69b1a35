"""The first minute with the app and its bundled runs: how soon there is a picture, and can it be read?"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.page_clock import PAGES, PICTURE, change

FIRST_START_SECONDS, PAGE_SECONDS = 10, 1  # what we aim for; reported, as test machines differ


def listen(page: Any) -> list[str]:
    """What the page writes to the console as errors from now on."""
    errors: list[str] = []
    page.on("console", lambda message: message.type == "error" and errors.append(message.text))
    page.on("pageerror", lambda error: errors.append(str(error)))
    return errors


def settle(page: Any) -> None:
    """Wait until the server has nothing more to send and the figures have their size."""
    page.wait_for_selector('[data-testid="stStatusWidget"]', state="detached")
    page.wait_for_timeout(500)


def report(what: str, seconds: float, aim: float) -> None:
    print(f"{what}: {seconds:.2f} s (aim: {aim} s)")  # shown by pytest -s and -rP


def test_the_first_picture_comes_without_a_click(open_page: Callable[..., Any]) -> None:
    started = time.monotonic()
    page = open_page("/")
    page.wait_for_selector(PICTURE)
    report("first start to the first picture", time.monotonic() - started, FIRST_START_SECONDS)
    errors = listen(page)
    settle(page)
    assert page.locator(".js-plotly-plot").count() >= 2  # the maps and the lines
    drawn = page.evaluate(
        "() => document.querySelector('.st-key-home-pca .js-plotly-plot')._fullData"
        ".reduce((n, trace) => n + trace.x.length, 0)"
    )
    assert drawn == 8 * 1587  # four layers of two runs, of every user and item with a train pair

    page.locator('[data-testid="stCheckbox"]', has_text="Keep propagating").click()
    page.locator(".annotation-text", has_text="layer 2").first.wait_for()
    assert "deep=false" in page.url

    for title in PAGES:
        report(f"first visit of the page {title}", change(page, title)[0], PAGE_SECONDS)
        settle(page)
    report("back to Home", change(page, "Home")[0], PAGE_SECONDS)
    settle(page)
    assert not errors


def test_nothing_is_fetched_from_elsewhere(open_page: Callable[..., Any], app_url: str) -> None:
    page = open_page("/")
    foreign: list[str] = []
    page.on(
        "request",
        lambda request: (
            request.url.startswith("http")
            and not request.url.startswith(app_url)
            and foreign.append(request.url)
        ),
    )
    page.reload()
    page.wait_for_selector(PICTURE)
    settle(page)
    page.wait_for_function("() => globalThis.liveChartsPlotly")  # ahead of the page that needs it
    assert not foreign


@pytest.mark.parametrize("path", ["/", "/data"])
def test_a_phone_needs_no_sideways_scrolling(open_page: Callable[..., Any], path: str) -> None:
    page = open_page(path, width=390, height=844)
    page.wait_for_selector(PICTURE)
    settle(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    main = page.locator('[data-testid="stMain"]')
    assert main.evaluate("box => box.scrollWidth <= box.clientWidth")
    for figure in page.locator(".js-plotly-plot").all():
        box = figure.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390


def test_dark_pages_have_light_text_and_clear_figures(open_page: Callable[..., Any]) -> None:
    page = open_page("/", dark=True)
    page.wait_for_selector(PICTURE)
    settle(page)
    background = "element => getComputedStyle(element).backgroundColor"
    assert page.locator('[data-testid="stApp"]').evaluate(background) == "rgb(20, 18, 26)"
    figure = page.locator(PICTURE).first
    assert figure.evaluate("svg => svg.style.background") in ("rgba(0, 0, 0, 0)", "transparent")


# Whether what one sees in the middle of the page's title belongs to the title.
IN_SIGHT = """() => {
  const title = document.querySelector("h1");
  const { left, top, height } = title.getBoundingClientRect();
  return title.contains(document.elementFromPoint(left + 20, top + height / 2));
}"""


@pytest.mark.parametrize("path", ["/", "/depth", "/training"])
def test_nothing_covers_the_title(open_page: Callable[..., Any], path: str) -> None:
    """On a phone, and where the menu was closed, Streamlit's bar lay on the title."""
    phone = open_page(path, width=390, height=844)
    phone.locator("h1").wait_for()
    phone.wait_for_function(IN_SIGHT)
    laptop = open_page(path, width=1280, height=720)
    laptop.locator("h1").wait_for()
    laptop.wait_for_function(IN_SIGHT)
    laptop.locator("[data-testid=stSidebar]").hover()
    laptop.locator("[data-testid=stSidebarCollapseButton] button").click()
    laptop.locator("[data-testid=stExpandSidebarButton]").wait_for()
    laptop.wait_for_function(IN_SIGHT)
