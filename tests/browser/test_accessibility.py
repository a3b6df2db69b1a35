"""axe-core on every page, light and dark, on a desktop and on a phone: no serious fault."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest

from app.sitemap import PAGES

AXE = Path(axe_playwright_python.__file__).parent / "axe.min.js"
GRAVE = ("serious", "critical")
ALSO = ("heading-order",)  # axe calls a jump of headings moderate
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
PATHS = [
    "/",
    *(f"/{name}" for name in PAGES),
    # Parts that a page shows only when they are asked for.
    "/embeddings?run=shop-rednnd-a0&vs=shop-rednnd-a0.1&node=item:412&color=degree",
    "/embeddings?show=animation",
    "/depth?run=shop-rednnd-a0&vs=shop-rednnd-a0.1&depth=16",
    "/smoothness?smoothness_part=Go+deeper&smoothness_misleads=true",
]


def faults(page: Any) -> list[str]:
    """One line a fault: its rule, how grave it is, and the first element that has it."""
    found = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{fault['id']} ({fault['impact']}, {len(fault['nodes'])} times): "
        f"{fault['nodes'][0]['html'][:200]} {fault['nodes'][0]['failureSummary'][:300]}"
        for fault in found["violations"]
        if fault["impact"] in GRAVE or fault["id"] in ALSO
    ]


def settle(page: Any) -> None:
    page.locator("h1").wait_for()
    page.wait_for_selector('[data-test-script-state="notRunning"]')
    page.wait_for_selector('[data-testid="stStatusWidget"]', state="detached")
    page.wait_for_selector("[data-stale=true]", state="detached")
    page.wait_for_timeout(300)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("path", PATHS)
def test_axe_finds_no_serious_fault(open_page: Callable[..., Any], path: str, dark: bool) -> None:
    page = open_page(path, dark=dark, **DESKTOP)
    settle(page)
    page.add_script_tag(path=str(AXE))
    on_desktop = faults(page)
    page.set_viewport_size(PHONE)
    page.wait_for_timeout(500)
    assert [*on_desktop, *faults(page)] == []


def test_axe_would_find_a_fault(open_page: Callable[..., Any]) -> None:
    page = open_page("/data", **DESKTOP)
    settle(page)
    page.add_script_tag(path=str(AXE))
    page.evaluate(
        """() => {
          const main = document.querySelector('[data-testid=stMain] h1').parentElement;
          main.insertAdjacentHTML('beforeend', '<p style="color:#999;background:#fff">pale</p>'
            + '<img src="data:,"><h5>a jump</h5>');
        }"""
    )
    rules = {line.split(" ")[0] for line in faults(page)}
    assert {"color-contrast", "image-alt", "heading-order"} <= rules


def test_tabs_of_the_browser_tell_the_pages_apart(open_page: Callable[..., Any]) -> None:
    titles = []
    for path in ("/", *(f"/{name}" for name in PAGES)):
        page = open_page(path)
        settle(page)
        titles.append(page.title())
    assert len(set(titles)) == len(titles)
    assert titles[0] == "Home · RedNⁿD"
